"""Bodies of the webhook routes."""

from __future__ import annotations

from typing import Final

from marshmallow import fields

from signal_bridge.web.schemas.base import BodySchema, Flag, Text, Texts, Whole


class WebhookSchema(BodySchema):
    """What is left out stays as it is, or gets its default. `webhook` is `url` by another name."""

    webhook = Text()
    url = Text()
    name = Text()
    types = Texts()
    senders = Texts(data_key="from")
    format = Text()
    secret = Text()
    headers = fields.Dict(keys=Text(), values=Text())


class ChangeSchema(WebhookSchema):
    paused = Flag(load_default=None)


class ReplaySchema(BodySchema):
    since = Whole(load_default=None)
    seq = Whole(load_default=None)


WEBHOOK: Final = WebhookSchema()
CHANGE: Final = ChangeSchema()
REPLAY: Final = ReplaySchema()
