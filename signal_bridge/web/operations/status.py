"""The state of an account, described."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.description import answers
from signal_bridge.web.route import Needs, Operation

ACCOUNT: Final = Operation(answer=answers.ACCOUNT, needs=Needs.STORE, beyond_peer=True)
