"""The state of an account, described."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.route import Needs, Operation
from signal_bridge.web.schemas.accounts import AccountSchema

ACCOUNT: Final = Operation(answer=AccountSchema, needs=Needs.STORE, beyond_peer=True)
