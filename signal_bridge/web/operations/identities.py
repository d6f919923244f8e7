"""Safety numbers, described."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.route import Body, Operation
from signal_bridge.web.schemas import identities as schemas
from signal_bridge.web.schemas.answers import many

LIST_ALL: Final = Operation(answer=many(schemas.IdentitySchema))
TRUST: Final = Operation(204, body=Body(schemas.TRUST, {"trust_all_known_keys": True}))
