"""The bridge itself: alive, ready, about, described."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.route import Needs, Operation, Outcome
from signal_bridge.web.schemas import health as schemas
from signal_bridge.web.schemas.problems import NotReadySchema

_NOT_READY: Final = Outcome("Not ready. `reasons` says why.", NotReadySchema)

LIVE: Final = Operation(answer=schemas.AliveSchema, needs=Needs.NOTHING, beyond_peer=True)
READY: Final = Operation(
    answer=schemas.ReadySchema, outcomes={503: _NOT_READY}, needs=Needs.NOTHING, beyond_peer=True
)
PEER_HEALTH: Final = Operation(204, outcomes={503: _NOT_READY}, needs=Needs.NOTHING)
STATUS: Final = Operation(answer=schemas.StatusSchema, needs=Needs.STORE, beyond_peer=True)
ABOUT: Final = Operation(answer=schemas.AboutSchema, needs=Needs.NOTHING)
