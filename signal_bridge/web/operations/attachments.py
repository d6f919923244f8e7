"""Received files, described."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.route import BYTES, Needs, Operation
from signal_bridge.web.schemas import attachments as schemas

LIST_ALL: Final = Operation(answer=schemas.NAMES, needs=Needs.NOTHING)
GET: Final = Operation(content={"*/*": {"schema": BYTES}}, needs=Needs.NOTHING)
DELETE: Final = Operation(204, needs=Needs.NOTHING)
