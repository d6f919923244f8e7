"""The bridge itself: alive, ready, about, described."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.description import answers
from signal_bridge.web.route import Needs, Operation

_NOT_READY: Final = "Not ready. `reasons` says why."

LIVE: Final = Operation(answer=answers.ALIVE, needs=Needs.NOTHING, beyond_peer=True)
READY: Final = Operation(
    answer=answers.READY, statuses={503: _NOT_READY}, needs=Needs.NOTHING, beyond_peer=True
)
PEER_HEALTH: Final = Operation(204, statuses={503: _NOT_READY}, needs=Needs.NOTHING)
ABOUT: Final = Operation(answer=answers.ABOUT, needs=Needs.NOTHING)
