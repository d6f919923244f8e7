"""Bodies of the group routes."""

from __future__ import annotations

from typing import Final

from marshmallow import fields

from signal_bridge.signalcli.groups import GroupChange, NewGroup, Permissions
from signal_bridge.web.schemas.base import BodySchema, Text, Texts, Whole


class PermissionsSchema(BodySchema):
    makes = Permissions

    add_members = Text(load_default="")
    edit_group = Text(load_default="")
    send_messages = Text(load_default="")


class NewGroupSchema(BodySchema):
    makes = NewGroup

    name = Text(load_default="")
    description = Text(load_default="")
    members = Texts(load_default=list)
    permissions = fields.Nested(PermissionsSchema, load_default=Permissions())
    group_link = Text(load_default="")
    expiration_time = Whole(load_default=0)


class GroupChangeSchema(BodySchema):
    makes = GroupChange

    name = Text(load_default=None)
    description = Text(load_default=None)
    permissions = fields.Nested(PermissionsSchema, load_default=Permissions())
    group_link = Text(load_default=None)
    expiration_time = Whole(load_default=None)
    base64_avatar = Text(load_default=None, attribute="avatar")


class MembersSchema(BodySchema):
    members = Texts(load_default=list)


class AdminsSchema(BodySchema):
    admins = Texts(load_default=list)


class PinMessageSchema(BodySchema):
    target_author = Text(load_default="")
    timestamp = Whole(load_default=0)
    duration = Whole(load_default=None)


class UnpinMessageSchema(BodySchema):
    target_author = Text(load_default="")
    timestamp = Whole(load_default=0)


NEW_GROUP: Final = NewGroupSchema()
GROUP_CHANGE: Final = GroupChangeSchema()
MEMBERS: Final = MembersSchema()
ADMINS: Final = AdminsSchema()
PIN_MESSAGE: Final = PinMessageSchema()
UNPIN_MESSAGE: Final = UnpinMessageSchema()
