"""Safety numbers, described."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.description import answers
from signal_bridge.web.route import Body, Operation
from signal_bridge.web.schemas import identities as schemas

LIST_ALL: Final = Operation(answer=answers.IDENTITIES)
TRUST: Final = Operation(204, body=Body(schemas.TRUST, {"trust_all_known_keys": True}))
