"""The body of the route of stories."""

from __future__ import annotations

from typing import Any, Final

from signal_bridge.signalcli.stories import Story
from signal_bridge.web.schemas.base import BodySchema, Flag, LongText, Text


def _story(attachment: str, **rest: Any) -> Story:
    return Story((attachment,) if attachment else (), **rest)


class StoryBody(BodySchema):
    """A picture or a video, and who sees it."""

    makes = _story

    base64_attachment = LongText(
        load_default="",
        attribute="attachment",
        metadata={"description": "base64, or a data URI with a filename, as in /v2/send"},
    )
    group_id = Text(
        load_default="",
        metadata={"description": "the group whose members see it; without one, all contacts do"},
    )
    allow_replies = Flag(
        load_default=True, metadata={"description": "whether who sees it can reply"}
    )


STORY: Final = StoryBody()
