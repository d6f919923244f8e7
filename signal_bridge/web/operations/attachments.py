"""Received files, described."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.description import answers
from signal_bridge.web.route import BYTES, Needs, Operation

LIST_ALL: Final = Operation(answer=answers.ATTACHMENTS, needs=Needs.NOTHING)
GET: Final = Operation(content={"*/*": {"schema": BYTES}}, needs=Needs.NOTHING)
DELETE: Final = Operation(204, needs=Needs.NOTHING)
