"""Answers of signal-cli's own HTTP dialect."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.schemas.answers import Either, free, many

_REPLY: Final = {"jsonrpc": "2.0", "id": "1", "result": []}

# signal-cli's own, to one request or to a batch of them.
REPLY: Final = Either(free(_REPLY), many(free(_REPLY)))
