"""The description of the surface, described."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.description import answers
from signal_bridge.web.route import TEXT, Needs, Operation

OPENAPI: Final = Operation(answer=answers.OPENAPI, needs=Needs.NOTHING, beyond_peer=True)
DOCS: Final = Operation(
    content={"text/html": {"schema": TEXT}}, needs=Needs.NOTHING, beyond_peer=True
)
