"""Bodies of the group routes."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import fields, post_load

from signal_bridge.signalcli.groups import NewGroup, Permissions
from signal_bridge.web.schemas.base import BodySchema, Text, Texts, Whole


class PermissionsSchema(BodySchema):
    add_members = Text(load_default="")
    edit_group = Text(load_default="")
    send_messages = Text(load_default="")

    @post_load
    def _made(self, data: dict[str, Any], **_: Any) -> Permissions:
        return Permissions(**data)


class NewGroupSchema(BodySchema):
    """Loads as `{"group": NewGroup}`."""

    name = Text(load_default="")
    description = Text(load_default="")
    members = Texts(load_default=list)
    permissions = fields.Nested(PermissionsSchema, load_default=Permissions())
    group_link = Text(load_default="")
    expiration_time = Whole(load_default=0)

    @post_load
    def _made(self, data: dict[str, Any], **_: Any) -> dict[str, NewGroup]:
        return {"group": NewGroup(**data)}


NEW_GROUP: Final = NewGroupSchema()
