"""Bodies of the link routes."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.schemas.base import BodySchema, Text


class LinkSchema(BodySchema):
    device_name = Text(load_default="Signal Bridge")


LINK: Final = LinkSchema()
