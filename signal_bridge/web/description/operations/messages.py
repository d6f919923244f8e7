"""Sending: messages, what goes with them, polls."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.description import answers
from signal_bridge.web.description.answers import ANN, BOB, GROUP, MS
from signal_bridge.web.description.operation import (
    BYTES,
    TEXT,
    TEXTS,
    Body,
    Needs,
    Operation,
    Operations,
)
from signal_bridge.web.routes import chat, messages, polls
from signal_bridge.web.schemas.chat import REACT, RECEIPT, REMOTE_DELETE, TYPING
from signal_bridge.web.schemas.messages import SEND, SEND_V1
from signal_bridge.web.schemas.polls import CLOSE_POLL, NEW_POLL, VOTE

_TYPING: Final = Body(TYPING, {"recipient": BOB})
_REACTION: Final = {"recipient": BOB, "reaction": "👍", "target_author": BOB, "timestamp": MS}
_SEND_FORM: Final = {
    "type": "object",
    "properties": {
        "number": TEXT,
        "recipients[]": TEXTS,
        "message": TEXT,
        "text_mode": TEXT,
        "attachment": {"type": "array", "items": BYTES},
    },
}

OPERATIONS: Final[Operations] = {
    messages.send: Operation(
        201,
        answers.SENT_SINCE_0_101,
        Body(
            SEND,
            {"number": ANN, "recipients": [BOB], "message": "Hello **Bob**", "text_mode": "styled"},
            form=_SEND_FORM,
        ),
        statuses={429: ""},
        needs=Needs.SIGNAL_CLI | Needs.ROOM,
    ),
    messages.send_v1: Operation(
        201,
        answers.SENT,
        Body(SEND_V1, {"number": ANN, "recipients": [BOB], "message": "Hello"}),
        needs=Needs.SIGNAL_CLI | Needs.ROOM,
    ),
    chat.start_typing: Operation(204, body=_TYPING),
    chat.stop_typing: Operation(204, body=_TYPING),
    chat.react: Operation(204, body=Body(REACT, _REACTION)),
    chat.take_reaction_back: Operation(204, body=Body(REACT, _REACTION)),
    chat.send_receipt: Operation(
        204, body=Body(RECEIPT, {"recipient": BOB, "receipt_type": "read", "timestamp": MS})
    ),
    chat.remote_delete: Operation(
        201, answers.TIMESTAMP, Body(REMOTE_DELETE, {"recipient": BOB, "timestamp": MS})
    ),
    polls.create: Operation(
        201,
        answers.TIMESTAMP,
        Body(NEW_POLL, {"recipient": GROUP, "question": "When?", "answers": ["Today", "Never"]}),
    ),
    polls.vote: Operation(
        204,
        body=Body(
            VOTE,
            {
                "recipient": GROUP,
                "poll_author": ANN,
                "poll_timestamp": str(MS),
                "selected_answers": [1],
            },
        ),
    ),
    polls.close: Operation(
        204, body=Body(CLOSE_POLL, {"recipient": GROUP, "poll_timestamp": str(MS)})
    ),
}
