"""Webhooks, described."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.route import Body, Needs, Operation, Outcome
from signal_bridge.web.schemas import webhooks as schemas
from signal_bridge.web.schemas.answers import many
from signal_bridge.web.schemas.problems import ProblemSchema

CREATE: Final = Operation(
    201,
    schemas.WebhookCreatedSchema,
    Body(schemas.WEBHOOK, {"webhook": "https://example.org/hook", "types": ["message"]}),
    outcomes={200: Outcome("It was there already.", schemas.WebhookSchema)},
    needs=Needs.STORE,
    beyond_peer=True,
)
LIST_ALL: Final = Operation(answer=many(schemas.WebhookSchema), needs=Needs.STORE, beyond_peer=True)
GET: Final = Operation(answer=schemas.WebhookWholeSchema, needs=Needs.STORE, beyond_peer=True)
CHANGE: Final = Operation(
    answer=schemas.WebhookSchema,
    body=Body(schemas.CHANGE, {"paused": True}),
    needs=Needs.STORE,
    beyond_peer=True,
)
DELETE: Final = Operation(204, needs=Needs.STORE, beyond_peer=True)
TEST: Final = Operation(
    answer=schemas.WebhookTriedSchema,
    outcomes={429: Outcome("This webhook is being tested, or two by this client.", ProblemSchema)},
    needs=Needs.STORE | Needs.PLACE,
    beyond_peer=True,
)
LIST_ATTEMPTS: Final = Operation(
    answer=many(schemas.AttemptSchema), needs=Needs.STORE, beyond_peer=True
)
LIST_PARKED: Final = Operation(
    answer=many(schemas.ParkedSchema), needs=Needs.STORE, beyond_peer=True
)
REPLAY: Final = Operation(
    202,
    schemas.ReplayedSchema,
    Body(schemas.REPLAY, {"since": 17}, required=False),
    needs=Needs.STORE,
    beyond_peer=True,
)
