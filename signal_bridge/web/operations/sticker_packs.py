"""Sticker packs, described."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.route import Body, Operation
from signal_bridge.web.schemas import sticker_packs as schemas
from signal_bridge.web.schemas.answers import many

LIST_ALL: Final = Operation(answer=many(schemas.StickerPackSchema))
ADD: Final = Operation(201, body=Body(schemas.STICKER_PACK, {"pack_id": "…", "pack_key": "…"}))
