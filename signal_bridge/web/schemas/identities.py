"""Body of the trust route."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.schemas.base import BodySchema, Flag, Text


class TrustSchema(BodySchema):
    verified_safety_number = Text(load_default=None)
    trust_all_known_keys = Flag(load_default=None)


TRUST: Final = TrustSchema()
