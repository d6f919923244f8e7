"""Bodies of the profile routes."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.schemas.base import BodySchema, Flag, Text


class ProfileSchema(BodySchema):
    name = Text(load_default="")
    base64_avatar = Text(load_default="")
    about = Text(load_default=None)
    # beyond the peer
    lastname = Text(load_default=None)
    about_emoji = Text(load_default=None)
    keep_avatar = Flag(load_default=False)


PROFILE: Final = ProfileSchema()
