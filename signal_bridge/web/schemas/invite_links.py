"""Bodies and answers of the routes of invite links."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.schemas.answers import AnswerSchema, flag, text
from signal_bridge.web.schemas.base import BodySchema, Text
from signal_bridge.web.schemas.examples import GROUP, INVITE_LINK


class InviteLinkBody(BodySchema):
    """The link of the group to join."""

    invite_link = Text(
        load_default="",
        metadata={"description": "begins with https://signal.group/# or sgnl://signal.group/#"},
    )


class JoinedSchema(AnswerSchema):
    """The group, and whether the account is in it already."""

    id = text(GROUP)
    awaits_approval = flag(False, about="true: an admin has to let the account in first")


class NewLinkSchema(AnswerSchema):
    """The group's new link."""

    invite_link = text(INVITE_LINK, about="empty while the link is switched off")


JOIN: Final = InviteLinkBody()
