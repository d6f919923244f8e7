"""Sticker packs, described."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.description import answers
from signal_bridge.web.route import Body, Operation
from signal_bridge.web.schemas import sticker_packs as schemas

LIST_ALL: Final = Operation(answer=answers.STICKER_PACKS)
ADD: Final = Operation(201, body=Body(schemas.STICKER_PACK, {"pack_id": "…", "pack_key": "…"}))
