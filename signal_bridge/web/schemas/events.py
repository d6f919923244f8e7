"""Bodies and answers of the event routes, and what webhooks are posted."""

from __future__ import annotations

from typing import Final

from signal_bridge.delivery.webhooks.payload import GAP
from signal_bridge.feed.filters import OWN_KINDS, SIGNAL_KINDS
from signal_bridge.web.schemas.answers import (
    AnswerSchema,
    free,
    many,
    one,
    text,
    time_ms,
    whole,
    word,
)
from signal_bridge.web.schemas.base import BodySchema, Text, Whole
from signal_bridge.web.schemas.examples import ANN, BOB, EVENT_ID, MS, UUID


class AcknowledgeBody(BodySchema):
    """How far a consumer has got."""

    consumer = Text(required=True)
    seq = Whole(required=True)


_ENVELOPE: Final = {
    "source": BOB,
    "sourceNumber": BOB,
    "sourceUuid": UUID,
    "sourceName": "Bob",
    "sourceDevice": 1,
    "timestamp": MS,
    "dataMessage": {"timestamp": MS, "message": "hello", "expiresInSeconds": 0},
}


class _DetailsSchema(AnswerSchema):
    """What the bridge says of itself: each kind of event has some of these."""

    detail = text(required=False, about="why, as a sentence")
    webhook = text(required=False, about="the id of the webhook it is about")
    name = text(required=False, about="the webhook's name")
    reason = text(required=False, about="why the webhook was disabled, or the event parked")
    first = whole(data_key="from", required=False, about="the seq of the first event missed")
    last = whole(data_key="to", required=False, about="the seq of the last event missed")
    through = whole(required=False, about="the seq up to which events were removed")
    removed = whole(required=False, about="how many events were removed")
    unread = whole(required=False, about="how many of them nobody had read")
    parked = whole(required=False, about="how many of them were parked")
    method = text(required=False, about="the call that was limited, in signal-cli's words")
    retry_after = whole(required=False, allow_none=True, about="seconds to wait, if known")
    challenge_tokens = many(text(), required=False)


class _ToldSchema(_DetailsSchema):
    """What signal-cli tells, as a whole, or what the bridge says of itself."""

    envelope = free(_ENVELOPE, required=False, about="signal-cli's, as a whole")
    account = text(ANN, required=False)
    exception = free(required=False, about="why signal-cli could not read what came")
    event = word(*OWN_KINDS, required=False, example=None, about="what the bridge says of itself")
    timestamp = time_ms("when that happened", required=False, example=None)


class ReceivedSchema(_ToldSchema):
    """Something arrived, or the bridge says something of itself."""

    data_message = free(
        data_key="dataMessage", required=False, about="that of the envelope once more"
    )


class EventSchema(_ToldSchema):
    """An event of the feed."""

    seq = whole(17)
    type = word(*SIGNAL_KINDS, *OWN_KINDS)
    id = text(EVENT_ID, about="the same wherever the event is delivered")
    received_at = time_ms("when it arrived")


class GapSchema(AnswerSchema):
    """Events that are no longer kept: the seq of the first and of the last."""

    first = whole(3, data_key="from")
    last = whole(9, data_key="to")


class EventsSchema(AnswerSchema):
    """The next events, and where to go on from."""

    events = many(EventSchema)
    next = whole(17, about="the seq to read after")
    lag = whole(0, about="how many more there are")
    gap = one(GapSchema, required=False)


class ConsumerSchema(AnswerSchema):
    """How far a consumer has got."""

    consumer = text("archive")
    seq = whole(17)
    lag = whole(0, about="how many events it is behind")


class PostedMessageSchema(AnswerSchema):
    """What signal-cli tells, as it is posted."""

    envelope = free(_ENVELOPE, required=False, about="signal-cli's, as a whole")
    account = text(ANN, required=False)
    exception = free(required=False, about="why signal-cli could not read what came")
    seq = whole(17)


class OwnEventSchema(_DetailsSchema):
    """What the bridge says of itself, as it is posted."""

    event = word(*OWN_KINDS, GAP)
    account = text(ANN, about="empty when it is about none")
    timestamp = time_ms("when it happened", required=False)
    seq = whole(17)


ACKNOWLEDGE: Final = AcknowledgeBody()
