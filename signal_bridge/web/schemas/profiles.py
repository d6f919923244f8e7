"""Bodies of the profile routes."""

from __future__ import annotations

from typing import Any, Final

from signal_bridge.signalcli.profiles import ProfileChange
from signal_bridge.web.schemas.base import BodySchema, Flag, Text


def _change(avatar: str, **rest: Any) -> ProfileChange:
    """An empty text is no picture."""
    return ProfileChange(avatar=avatar or None, **rest)


class ProfileSchema(BodySchema):
    makes = _change

    name = Text(load_default="")
    base64_avatar = Text(load_default="", attribute="avatar")
    about = Text(load_default=None)
    # beyond the peer
    lastname = Text(load_default=None)
    about_emoji = Text(load_default=None)
    keep_avatar = Flag(load_default=False)


PROFILE: Final = ProfileSchema()
