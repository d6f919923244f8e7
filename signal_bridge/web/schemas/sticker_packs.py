"""Body of the sticker pack route."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.schemas.base import BodySchema, Text


class StickerPackSchema(BodySchema):
    pack_id = Text(load_default="")
    pack_key = Text(load_default="")


STICKER_PACK: Final = StickerPackSchema()
