"""Bodies of the event routes."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.schemas.base import BodySchema, Text, Whole


class AcknowledgeSchema(BodySchema):
    consumer = Text(required=True)
    seq = Whole(required=True)


ACKNOWLEDGE: Final = AcknowledgeSchema()
