"""Bodies and answers of the profile routes."""

from __future__ import annotations

from typing import Any, Final

from signal_bridge.signalcli.profiles import ProfileChange
from signal_bridge.web.schemas.answers import AnswerSchema, flag, text, time_ms
from signal_bridge.web.schemas.base import BodySchema, Flag, LongText, Text
from signal_bridge.web.schemas.examples import ANN, UUID


def _change(avatar: str, **rest: Any) -> ProfileChange:
    """An empty text is no picture."""
    return ProfileChange(avatar=avatar or None, **rest)


class ProfileBody(BodySchema):
    """The new profile; what is left out stays, but for the picture."""

    makes = _change

    name = Text(load_default="")
    base64_avatar = LongText(load_default="", attribute="avatar")
    about = Text(load_default=None)
    # beyond the peer
    lastname = Text(load_default=None)
    about_emoji = Text(load_default=None)
    keep_avatar = Flag(load_default=False)


class ProfileSchema(AnswerSchema):
    """What the account says of itself."""

    number = text(ANN)
    uuid = text(UUID)
    username = text("ann.42")
    given_name = text("Ann")
    lastname = text("")
    name = text("Ann")
    about = text("")
    about_emoji = text("")
    has_avatar = flag(False)
    last_updated_timestamp = time_ms("when it was last fetched")


PROFILE: Final = ProfileBody()
