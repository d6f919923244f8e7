"""The body of the route of members' labels."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.schemas.base import BodySchema, Text


class MemberLabelBody(BodySchema):
    """What the account is called in the group; what is left out stays."""

    label = Text(
        load_default=None, metadata={"description": "a few words; an empty text takes them away"}
    )
    label_emoji = Text(
        load_default=None, metadata={"description": "one emoji; an empty text takes it away"}
    )


MEMBER_LABEL: Final = MemberLabelBody()
