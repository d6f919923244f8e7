"""The configuration, described."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.route import Body, Needs, Operation
from signal_bridge.web.schemas import configuration as schemas

GET: Final = Operation(answer=schemas.ConfigurationSchema, needs=Needs.STORE)
CHANGE: Final = Operation(
    204, body=Body(schemas.CONFIGURATION, {"logging": {"level": "debug"}}), needs=Needs.STORE
)
GET_TRUST_MODE: Final = Operation(
    answer=schemas.TrustModeSchema, needs=Needs.NOTHING, failures=(503,)
)
STORE_TRUST_MODE: Final = Operation(
    204, body=Body(schemas.TRUST_MODE, {"trust_mode": "always"}), needs=Needs.ROOM
)
