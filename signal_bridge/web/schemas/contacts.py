"""Bodies of the contact routes."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.schemas.base import BodySchema, Text, Whole


class ContactSchema(BodySchema):
    recipient = Text(load_default="")
    name = Text(load_default=None)
    expiration_in_seconds = Whole(load_default=None)


CONTACT: Final = ContactSchema()
