"""Webhooks, described."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.description import answers
from signal_bridge.web.route import Body, Needs, Operation
from signal_bridge.web.schemas import webhooks as schemas

CREATE: Final = Operation(
    201,
    answers.WEBHOOK_CREATED,
    Body(schemas.WEBHOOK, {"webhook": "https://example.org/hook", "types": ["message"]}),
    others={200: answers.WEBHOOK},
    needs=Needs.STORE,
    beyond_peer=True,
)
LIST_ALL: Final = Operation(answer=[answers.WEBHOOK], needs=Needs.STORE, beyond_peer=True)
GET: Final = Operation(answer=answers.WEBHOOK_WHOLE, needs=Needs.STORE, beyond_peer=True)
CHANGE: Final = Operation(
    answer=answers.WEBHOOK,
    body=Body(schemas.CHANGE, {"paused": True}),
    needs=Needs.STORE,
    beyond_peer=True,
)
DELETE: Final = Operation(204, needs=Needs.STORE, beyond_peer=True)
TEST: Final = Operation(answer=answers.WEBHOOK_TRIED, needs=Needs.STORE, beyond_peer=True)
LIST_ATTEMPTS: Final = Operation(
    answer=answers.WEBHOOK_ATTEMPTS, needs=Needs.STORE, beyond_peer=True
)
LIST_PARKED: Final = Operation(answer=answers.WEBHOOK_PARKED, needs=Needs.STORE, beyond_peer=True)
REPLAY: Final = Operation(
    202,
    answers.WEBHOOK_REPLAYED,
    Body(schemas.REPLAY, {"since": 17}, required=False),
    needs=Needs.STORE,
    beyond_peer=True,
)
