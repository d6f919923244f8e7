"""Bodies and answers of the configuration routes."""

from __future__ import annotations

from typing import Final

from marshmallow import fields

from signal_bridge.trustmodes import MODES
from signal_bridge.web.schemas.answers import AnswerSchema, one, word
from signal_bridge.web.schemas.base import BodySchema, Text


class LoggingBody(BodySchema):
    """How much is logged."""

    level = Text(load_default="")


class ConfigurationBody(BodySchema):
    """What to change of the configuration."""

    logging = fields.Nested(LoggingBody, load_default=lambda: {"level": ""})


class TrustModeBody(BodySchema):
    """How new keys are trusted."""

    trust_mode = Text(load_default="")


class LoggingSchema(AnswerSchema):
    """How much is logged."""

    level = word("info", "debug", "warn", "", data_key="Level", about="empty: errors alone")


class ConfigurationSchema(AnswerSchema):
    """What can be changed while the bridge runs."""

    logging = one(LoggingSchema)


class TrustModeSchema(AnswerSchema):
    """How new keys are trusted."""

    trust_mode = word(*MODES)


CONFIGURATION: Final = ConfigurationBody()
TRUST_MODE: Final = TrustModeBody()
