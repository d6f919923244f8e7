"""The configuration, described."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.description import answers
from signal_bridge.web.route import Body, Needs, Operation
from signal_bridge.web.schemas import configuration as schemas

GET: Final = Operation(answer=answers.LOGGING, needs=Needs.STORE)
CHANGE: Final = Operation(
    204, body=Body(schemas.CONFIGURATION, {"logging": {"level": "debug"}}), needs=Needs.STORE
)
GET_TRUST_MODE: Final = Operation(answer=answers.TRUST_MODE, needs=Needs.NOTHING)
STORE_TRUST_MODE: Final = Operation(
    204, body=Body(schemas.TRUST_MODE, {"trust_mode": "always"}), needs=Needs.NOTHING
)
