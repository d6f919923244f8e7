"""Bodies and answers of the sticker pack routes."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.schemas.answers import AnswerSchema, flag, text
from signal_bridge.web.schemas.base import BodySchema, Text


class StickerPackBody(BodySchema):
    """The pack to install: the id and the key in its link."""

    pack_id = Text(load_default="")
    pack_key = Text(load_default="")


class StickerPackSchema(AnswerSchema):
    """A sticker pack that the account knows."""

    pack_id = text("fb53…")
    url = text("")
    installed = flag(True)
    title = text("")
    author = text("")


STICKER_PACK: Final = StickerPackBody()
