"""Bodies of the configuration routes."""

from __future__ import annotations

from typing import Final

from marshmallow import fields

from signal_bridge.web.schemas.base import BodySchema, Text


class LoggingSchema(BodySchema):
    level = Text(load_default="")


class ConfigurationSchema(BodySchema):
    logging = fields.Nested(LoggingSchema, load_default=lambda: {"level": ""})


class TrustModeSchema(BodySchema):
    trust_mode = Text(load_default="")


CONFIGURATION: Final = ConfigurationSchema()
TRUST_MODE: Final = TrustModeSchema()
