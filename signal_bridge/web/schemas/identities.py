"""Bodies and answers of the identity routes."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.schemas.answers import AnswerSchema, text
from signal_bridge.web.schemas.base import BodySchema, Flag, Text
from signal_bridge.web.schemas.examples import BOB, MS, UUID


class TrustBody(BodySchema):
    """Which key to trust."""

    verified_safety_number = Text(load_default=None)
    trust_all_known_keys = Flag(load_default=None)


class IdentitySchema(AnswerSchema):
    """A key that the account has seen."""

    number = text(BOB)
    status = text("TRUSTED_UNVERIFIED")
    fingerprint = text("05 a1 …")
    added = text(str(MS), about="milliseconds since the epoch, as a text")
    safety_number = text("123450678901234")
    uuid = text(UUID)


TRUST: Final = TrustBody()
