"""Groups (rest-surface.rst 5.4)."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from signal_bridge.errors import NotFound, RequestError
from signal_bridge.signalcli import results
from signal_bridge.signalcli.addresses import GROUP_PREFIX, person, rest_group_id
from signal_bridge.signalcli.addresses import group_id as read_group_id
from signal_bridge.signalcli.attachments import Enclosure
from signal_bridge.signalcli.call import Call
from signal_bridge.signalcli.params import duration_seconds, without_none

_EVERY_MEMBER: Final = "every-member"
_ONLY_ADMINS: Final = "only-admins"
PERMISSIONS: Final = {"EVERY_MEMBER": _EVERY_MEMBER, "ONLY_ADMINS": _ONLY_ADMINS}
_LINKS: Final = ("enabled", "enabled-with-approval", "disabled")


@dataclasses.dataclass(frozen=True)
class Permissions:
    """Who may do what: `every-member`, `only-admins`, or empty to leave it."""

    add_members: str = ""
    edit_group: str = ""
    send_messages: str = ""


@dataclasses.dataclass(frozen=True)
class NewGroup:
    """The body that creates a group; empty means not given.

    `group_link` is `enabled`, `enabled-with-approval` or `disabled`, `expiration_time` in seconds.
    `avatar` is the picture, a path once it lies where signal-cli can read it.
    """

    name: str = ""
    description: str = ""
    members: Sequence[str] = ()
    permissions: Permissions = Permissions()
    group_link: str = ""
    expiration_time: int = 0
    avatar: Enclosure | None = None


@dataclasses.dataclass(frozen=True)
class GroupChange:
    """The body that changes a group; None leaves a field as it is.

    An empty name or description clears it; an `expiration_time` of 0 seconds keeps messages for
    ever (rest-surface.rst 11.14). `avatar` is the picture, a path once it lies where signal-cli can
    read it.
    """

    name: str | None = None
    description: str | None = None
    permissions: Permissions = Permissions()
    group_link: str | None = None
    expiration_time: int | None = None
    avatar: Enclosure | None = None


class MemberChange(enum.Enum):
    """What may be done with members; the value is updateGroup's parameter."""

    ADD_MEMBERS = "member"
    REMOVE_MEMBERS = "remove-member"
    ADD_ADMINS = "admin"
    REMOVE_ADMINS = "remove-admin"


def list_groups(number: str) -> Call:
    """Ask for all groups, those that were left included."""
    return Call("listGroups", {"account": number}, repeatable=True)


def list_group(number: str, group_id: str) -> Call:
    """Ask for the group of that internal id; an array of it, or of none."""
    params = {"groupId": [group_id], "account": number}
    return Call("listGroups", params, repeatable=True)


def groups(result: Any, expand: bool = False) -> list[dict[str, Any]]:
    """The group objects of listGroups, in its order.

    With `expand` the four lists of people hold `{"number", "uuid"}` instead of one or the other,
    and are null when signal-cli has none; members have `is_admin`, `label` and `label_emoji` as
    well, as far as signal-cli says so (since 0.14.1). Raises `RequestError` (invalid response).
    """
    return [_group(row, _addresses if expand else _names) for row in results.as_rows(result)]


def one_group(result: Any, group_id: str, expand: bool = False) -> dict[str, Any]:
    """The group object of that id. Raises `NotFound` (rest-surface.rst 11.2)."""
    row = _find(result, group_id)
    if row is None:
        raise NotFound("No group with that id found")
    return _group(row, _addresses if expand else _names)


def known_group_id(result: Any, group_id: str) -> str:
    """The internal id of the listed group that has that id. Raises `NotFound`."""
    row = _find(result, group_id)
    if row is None:
        raise NotFound(f"No group with that group id ({group_id}) found")
    return results.text(row, "id")


def check_new(group: NewGroup) -> None:
    """What can be told before the avatar is written: permissions, link, timer (`RequestError`)."""
    _check_permissions(group.permissions)
    if group.group_link:
        _check_link(group.group_link)
    duration_seconds("expiration_time", group.expiration_time)


def create_group(number: str, group: NewGroup) -> Call:
    """Create a group. Raises `RequestError` where `check_new` does."""
    check_new(group)
    params = {
        "avatar": None if group.avatar is None else str(group.avatar),
        "name": group.name or None,
        "members": list(map(person, group.members)) or None,
        "link": group.group_link or None,
        "description": group.description or None,
        **_permission_params(group.permissions),
        "expiration": group.expiration_time or None,
        "account": number,
    }
    return Call("updateGroup", without_none(params))


def created_group(result: Any) -> str:
    """The internal id of the created group. Raises `RequestError` (invalid response)."""
    return results.text(results.as_row(result), "groupId")


def check_change(change: GroupChange) -> None:
    """What can be told before the avatar is written: link, permissions, timer (`RequestError`)."""
    if change.group_link is not None:
        _check_link(change.group_link)
    _check_permissions(change.permissions)
    if change.expiration_time is not None:
        duration_seconds("expiration_time", change.expiration_time)


def update_group(number: str, group_id: str, change: GroupChange) -> Call:
    """Change the group of that internal id. Raises `RequestError` where `check_change` does."""
    check_change(change)
    params = {
        "groupId": group_id,
        "avatar": None if change.avatar is None else str(change.avatar),
        "description": change.description,
        "name": change.name,
        "expiration": change.expiration_time,
        "link": change.group_link,
        **_permission_params(change.permissions),
        "account": number,
    }
    return Call("updateGroup", without_none(params))


def quit_group(number: str, group_id: str) -> Call:
    """Leave the group of that internal id. What was received in it stays."""
    return Call("quitGroup", {"groupId": group_id, "account": number})


def undo_group(number: str, group_id: str) -> Call:
    """Leave the group of that internal id, and list it no longer."""
    return Call("quitGroup", {"groupId": group_id, "delete": True, "account": number})


def block_group(number: str, group_id: str) -> Call:
    """Block the group of that internal id."""
    return Call("block", {"groupId": group_id, "account": number})


def join_group(number: str, group_id: str) -> Call:
    """Accept the invitation to the group of that internal id."""
    return Call("updateGroup", {"groupId": group_id, "account": number})


def required_members(members: Sequence[str]) -> Sequence[str]:
    """The members to add. Raises `RequestError` if there are none."""
    if not members:
        raise RequestError("Couldn't process request - group members missing")
    return members


def change_members(number: str, group_id: str, change: MemberChange, people: Sequence[str]) -> Call:
    """Do `change` with `people`, of whom there is at least one, in the group of that internal id.

    For nobody there is nothing to call (rest-surface.rst C15).
    """
    params = {change.value: list(map(person, people)), "groupId": group_id, "account": number}
    return Call("updateGroup", params)


def get_group_avatar(number: str, group_id: str) -> Call:
    """Ask for the picture of the group of that internal id; `attachments.avatar` reads it."""
    params = without_none({"groupId": group_id or None, "account": number})
    return Call("getAvatar", params, repeatable=True)


def _find(result: Any, group_id: str) -> Mapping[str, Any] | None:
    """The listed group whose id that is.

    Without its prefix what REST shows is not found, as in the peer.
    """
    wanted = read_group_id(group_id)
    if wanted is None or rest_group_id(wanted) == f"{GROUP_PREFIX}{group_id}":
        return None
    rows = results.as_rows(result)
    return next((row for row in rows if results.text(row, "id") == wanted), None)


def _group(row: Mapping[str, Any], people: Callable[[Any], Any]) -> dict[str, Any]:
    internal_id = results.text(row, "id")
    timer = {}
    if row.get("messageExpirationTime") is not None:
        timer = {"expiration_time": results.number(row, "messageExpirationTime")}
    return {
        "name": results.text(row, "name"),
        "description": results.text(row, "description"),
        "id": rest_group_id(internal_id),
        "internal_id": internal_id,
        "members": people(row.get("members")),
        "blocked": results.flag(row, "isBlocked"),
        "member": results.flag(row, "isMember"),
        "pending_invites": people(row.get("pendingMembers")),
        "pending_requests": people(row.get("requestingMembers")),
        "invite_link": results.text(row, "groupInviteLink"),
        "admins": people(row.get("admins")),
        "permissions": {
            "add_members": _permission(row, "permissionAddMember"),
            "edit_group": _permission(row, "permissionEditDetails"),
            "send_messages": _permission(row, "permissionSendMessage"),
        },
        **timer,
    }


def _names(members: Any) -> list[str]:
    rows = results.as_rows(members)
    return [results.text(row, "number") or results.text(row, "uuid") for row in rows]


def _addresses(members: Any) -> list[dict[str, Any]] | None:
    return None if members is None else list(map(_address, results.as_rows(members)))


def _address(row: Mapping[str, Any]) -> dict[str, Any]:
    """Somebody by number and UUID, and what signal-cli says of the membership (since 0.14.1)."""
    shown: dict[str, Any] = {name: results.text(row, name) for name in ("number", "uuid")}
    if row.get("isAdmin") is not None:
        shown["is_admin"] = results.flag(row, "isAdmin")
    labels = {"label": results.text(row, "label"), "label_emoji": results.text(row, "labelEmoji")}
    return {**shown, **{name: label for name, label in labels.items() if label}}


def _permission(row: Mapping[str, Any], name: str) -> str:
    return PERMISSIONS.get(results.text(row, name), "")


def _permission_params(permissions: Permissions) -> dict[str, str | None]:
    return {
        "setPermissionAddMember": permissions.add_members or None,
        "setPermissionEditDetails": permissions.edit_group or None,
        "setPermissionSendMessages": permissions.send_messages or None,
    }


def _check_permissions(permissions: Permissions) -> None:
    named = (
        ("add members permission", permissions.add_members),
        ("edit group permissions", permissions.edit_group),
        ("send messages permissions", permissions.send_messages),
    )
    for name, value in named:
        if value not in ("", _EVERY_MEMBER, _ONLY_ADMINS):
            raise RequestError(
                f"Invalid {name} provided - only 'every-member' and 'only-admins' allowed!"
            )


def _check_link(link: str) -> None:
    if link not in _LINKS:
        raise RequestError(
            "Invalid group link provided - "
            "only 'enabled', 'enabled-with-approval' and 'disabled' allowed!"
        )
