"""Polls, described."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.route import Body, Operation
from signal_bridge.web.schemas import polls as schemas
from signal_bridge.web.schemas.chat import TimestampSchema
from signal_bridge.web.schemas.examples import ANN, GROUP, MS

CREATE: Final = Operation(
    201,
    TimestampSchema,
    Body(
        schemas.NEW_POLL, {"recipient": GROUP, "question": "When?", "answers": ["Today", "Never"]}
    ),
)
VOTE: Final = Operation(
    204,
    body=Body(
        schemas.VOTE,
        {
            "recipient": GROUP,
            "poll_author": ANN,
            "poll_timestamp": str(MS),
            "selected_answers": [1],
        },
    ),
)
CLOSE: Final = Operation(
    204, body=Body(schemas.CLOSE_POLL, {"recipient": GROUP, "poll_timestamp": str(MS)})
)
