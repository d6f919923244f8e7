"""Bodies and answers of the group routes."""

from __future__ import annotations

from typing import Final

from marshmallow import fields

from signal_bridge.signalcli.groups import GroupChange, NewGroup, Permissions
from signal_bridge.web.schemas.answers import (
    AnswerSchema,
    Either,
    flag,
    many,
    one,
    text,
    whole,
    word,
)
from signal_bridge.web.schemas.base import BodySchema, LongText, Text, Texts, Whole
from signal_bridge.web.schemas.examples import ANN, GROUP, INTERNAL_GROUP, UUID


class PermissionsBody(BodySchema):
    """Who may do what in a group: every-member or only-admins."""

    makes = Permissions

    add_members = Text(load_default="")
    edit_group = Text(load_default="")
    send_messages = Text(load_default="")


class NewGroupBody(BodySchema):
    """The group to create."""

    makes = NewGroup

    name = Text(load_default="")
    description = Text(load_default="")
    members = Texts(load_default=list)
    permissions = fields.Nested(PermissionsBody, load_default=Permissions())
    group_link = Text(load_default="")
    expiration_time = Whole(load_default=0)
    # beyond the peer
    base64_avatar = LongText(load_default=None, attribute="avatar")


class GroupChangeBody(BodySchema):
    """What to change of a group; what is left out stays."""

    makes = GroupChange

    name = Text(load_default=None)
    description = Text(load_default=None)
    permissions = fields.Nested(PermissionsBody, load_default=Permissions())
    group_link = Text(load_default=None)
    expiration_time = Whole(load_default=None)
    base64_avatar = LongText(load_default=None, attribute="avatar")


class MembersBody(BodySchema):
    """People to add to a group, or to remove."""

    members = Texts(load_default=list)


class AdminsBody(BodySchema):
    """Members to make admins, or ordinary members again."""

    admins = Texts(load_default=list)


class PinMessageBody(BodySchema):
    """The message to pin, and for how many seconds."""

    target_author = Text(load_default="")
    timestamp = Whole(load_default=0)
    duration = Whole(load_default=None)


class UnpinMessageBody(BodySchema):
    """The message to unpin."""

    target_author = Text(load_default="")
    timestamp = Whole(load_default=0)


class PersonSchema(AnswerSchema):
    """Somebody, by number and by UUID."""

    number = text(ANN)
    uuid = text(UUID)


class MemberSchema(PersonSchema):
    """A member of a group, by number and by UUID, and as what."""

    is_admin = flag(required=False, about="signal-cli says it since 0.14.1")
    label = text(required=False, about="what the member is called in the group, if anything")
    label_emoji = text(required=False, about="the emoji beside it, if there is one")


def _people(person: type[PersonSchema] = PersonSchema) -> Either:
    """By number, or by UUID when there is none; with `expand` by both."""
    return Either(many(text(ANN)), many(person, allow_none=True))


def _permission() -> fields.String:
    return word("every-member", "only-admins", "")


class PermissionsSchema(AnswerSchema):
    """Who may do what in a group."""

    add_members = _permission()
    edit_group = _permission()
    send_messages = _permission()


class GroupSchema(AnswerSchema):
    """A group as the account sees it."""

    name = text("Friends")
    description = text("")
    id = text(GROUP)
    internal_id = text(INTERNAL_GROUP, about="signal-cli's own")
    members = _people(MemberSchema)
    blocked = flag(False)
    member = flag(True, about="whether the account is in it")
    pending_invites = _people()
    pending_requests = _people()
    invite_link = text("")
    admins = _people()
    permissions = one(PermissionsSchema)
    expiration_time = whole(
        0, required=False, about="seconds after which messages disappear; 0 is never"
    )


class GroupCreatedSchema(AnswerSchema):
    """The new group."""

    id = text(GROUP)


NEW_GROUP: Final = NewGroupBody()
GROUP_CHANGE: Final = GroupChangeBody()
MEMBERS: Final = MembersBody()
ADMINS: Final = AdminsBody()
PIN_MESSAGE: Final = PinMessageBody()
UNPIN_MESSAGE: Final = UnpinMessageBody()
