"""Bodies and answers of the webhook routes."""

from __future__ import annotations

from typing import Final

from marshmallow import fields

from signal_bridge.delivery.webhooks.webhook import ACTIVE, DISABLED, FORMATS, PAUSED
from signal_bridge.web.schemas.answers import (
    AnswerSchema,
    flag,
    free,
    many,
    text,
    time_ms,
    whole,
    word,
)
from signal_bridge.web.schemas.base import BodySchema, Flag, Text, Texts, Whole
from signal_bridge.web.schemas.examples import ANN, BOB, WEBHOOK_ID, WEBHOOK_SECRET


class WebhookBody(BodySchema):
    """What is left out stays as it is, or gets its default. `webhook` is `url` by another name."""

    webhook = Text()
    url = Text()
    name = Text()
    types = Texts()
    senders = Texts(data_key="from")
    format = Text()
    secret = Text()
    headers = fields.Dict(keys=Text(), values=Text())


class ChangeBody(WebhookBody):
    """What to change of a webhook; `paused` stops it, or lets it go on."""

    paused = Flag(load_default=None)


class ReplayBody(BodySchema):
    """What to deliver again: all since a seq, or one parked event."""

    since = Whole(load_default=None)
    seq = Whole(load_default=None)


class WebhookSchema(AnswerSchema):
    """A webhook, without its secrets."""

    id = text(WEBHOOK_ID)
    account = text(ANN, about="or `*`: every account")
    name = text("")
    url = text("https://example.org/hook")
    types = many(text("message"), about="the kinds of events that are posted")
    senders = many(text(BOB), data_key="from", about="from whom; empty: from anybody")
    format = word(*FORMATS)
    headers = free({"Authorization": "***"}, about="their names; the values are not shown")
    state = word(ACTIVE, PAUSED, DISABLED)
    detail = text("", about="why it is in that state")
    created_at = time_ms("when it was registered")
    position = whole(17, about="the seq up to which it is done")
    failed_attempts = whole(0, about="attempts in vain to deliver the next event")
    next_attempt_at = time_ms("when it is tried again", allow_none=True)
    failing_since = time_ms("since when nothing was delivered", allow_none=True)


class WebhookCreatedSchema(WebhookSchema):
    """A new webhook, with the secret that signs what is posted; it is shown this once."""

    secret = text(WEBHOOK_SECRET)


class WebhookWholeSchema(WebhookSchema):
    """A webhook, and how much there is for it."""

    waiting = whole(0, about="events that wait for it")
    parked = whole(0, about="events that the receiver has refused for good")


class _AnsweredSchema(AnswerSchema):
    """What a receiver answered."""

    status = whole(200, about="0: no answer came, and `error` says why")
    error = text("")
    duration_ms = whole(12)
    answer = text(
        "ok", about="the beginning of its body; empty unless BRIDGE_WEBHOOK_SHOW_ANSWERS is on"
    )


class WebhookTriedSchema(_AnsweredSchema):
    """What came of a trial."""

    delivered = flag(True)
    answer_bytes = whole(2, about="how much of the answer's body was read, 4096 at most")


class AttemptSchema(_AnsweredSchema):
    """An attempt to deliver an event, and what came of it."""

    seq = whole(17)
    attempt = whole(1, about="which one it was for that event")
    at = time_ms("when it was made")


class ParkedSchema(AnswerSchema):
    """An event that the receiver has refused for good."""

    seq = whole(17)
    parked_at = time_ms("when it was refused")
    reason = text("410")
    replaying = flag(False, about="whether it is about to be delivered again")


class ReplayedSchema(AnswerSchema):
    """How many events are delivered again."""

    events = whole(3)


WEBHOOK: Final = WebhookBody()
CHANGE: Final = ChangeBody()
REPLAY: Final = ReplayBody()
