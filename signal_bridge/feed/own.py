"""What the bridge says of itself, in the same feed as what signal-cli tells."""

from __future__ import annotations

import secrets
from typing import Any

import orjson

from signal_bridge.clock import now_ms
from signal_bridge.feed.event import Arrival


def own_event(kind: str, account: str = "", **detail: Any) -> Arrival:
    """`{"event": kind, "account": …, "timestamp": ms, …}`; `kind` is one of filters.OWN_KINDS.

    Without an account it is for the readers of every account.
    """
    body = {"event": kind, "account": account, "timestamp": now_ms(), **detail}
    return Arrival(account, kind, f"{kind}:{secrets.token_hex(16)}", orjson.dumps(body))
