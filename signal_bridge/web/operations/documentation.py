"""The description of the surface, described."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.route import TEXT, Needs, Operation
from signal_bridge.web.schemas import documentation as schemas

HOME: Final = Operation(
    answer=schemas.HomeSchema,
    content={"text/html": {"schema": TEXT}, "text/plain": {"schema": TEXT}},
    needs=Needs.NOTHING,
    beyond_peer=True,
)
OPENAPI: Final = Operation(answer=schemas.OPENAPI, needs=Needs.NOTHING, beyond_peer=True)
DOCS: Final = Operation(
    content={"text/html": {"schema": TEXT}}, needs=Needs.NOTHING, beyond_peer=True
)
