"""What became of a group that signal-cli was asked to make or to change.

It works step by step and takes nothing back: Signal has a change before the members are told of
it, and where that fails it is refused all the same. And where Signal takes no current group,
signal-cli makes one of the old kind and says nothing of it (signal-cli.rst 2.7).
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Final

from signal_bridge.errors import Refused
from signal_bridge.signalcli import halfdone, results
from signal_bridge.signalcli.addresses import person
from signal_bridge.signalcli.call import Call
from signal_bridge.signalcli.groups import (
    PERMISSIONS,
    GroupChange,
    MemberChange,
    NewGroup,
    Permissions,
    list_groups,
)
from signal_bridge.signalcli.params import without_none

_LEGACY_ID_BYTES: Final = 16
_NOT_LISTED: Final = ("u:", "PNI:")
_IO_CODE: Final = -3
_UNFORESEEN_CODE: Final = -32603

_NOT_MADE: Final = (
    "The group was not made. signal-cli could only make one of the old kind, which Signal's apps "
    "do not show and nobody can write to. Mostly the account has no profile yet: set its name "
    "with PUT /v1/profiles/{number} and try again"
)
_LEFT: Final = "The old one was left and deleted again"
_STAYS: Final = "The old one, {}, is still listed, since signal-cli could not delete it"
_MAYBE_MADE: Final = (
    "The group may have been made, or a part of what was asked for; GET /v1/groups/{number} lists "
    "it then"
)
# In these of a group is who can be taken out of it: as a member, an invitation, a request.
_TAKEN_FROM: Final = {
    MemberChange.REMOVE_MEMBERS: ("members", "pendingMembers", "requestingMembers"),
    MemberChange.REMOVE_ADMINS: ("admins",),
}
_NOT_REMOVED: Final = (
    "Not removed: {}. signal-cli changed nothing: it does not take the account itself out of a "
    "group (POST /v1/groups/{{number}}/{{groupid}}/quit does), and signal-cli 0.14.1 removes nobody"
)
_NO_MEMBERS: Final = "The group was not made, since its members could not be added: {}"
_WITHOUT_MEMBERS: Final = "The group {} was made, but its members could not be added: {}"


def is_legacy(group_id: str) -> bool:
    """Whether an internal id is that of a group of the old kind."""
    try:
        return len(base64.b64decode(group_id, validate=True)) == _LEGACY_ID_BYTES
    except (binascii.Error, ValueError):
        return False


def only_legacy(listed_still: str | None) -> Refused:
    """The error of a group that came out legacy; `listed_still` is its id if it could not go.

    `{number}` is meant literally.
    """
    rest = _LEFT if listed_still is None else _STAYS.format(listed_still)
    return Refused(f"{_NOT_MADE}. {rest}", 0)


def without_members(error: Refused, listed_still: str | None) -> Refused:
    """The error of a group whose members were refused; `listed_still` is its id if it remains."""
    if listed_still is None:
        return halfdone.reworded(error, _NO_MEMBERS.format(error))
    return halfdone.doubled_if_repeated(error, _WITHOUT_MEMBERS.format(listed_still, error))


def refused_creation(group: NewGroup, error: Refused) -> Refused:
    """The error of a group that signal-cli did not make, or not to the end.

    It makes the group with its name, members and picture, tells the members, and sets the rest.
    """
    sets_more = group.description or group.group_link or group.expiration_time
    in_steps = bool(sets_more) or group.permissions != Permissions()
    if error.rpc_code == _UNFORESEEN_CODE or (error.rpc_code == _IO_CODE and in_steps):
        return halfdone.doubled_if_repeated(error, f"{error}. {_MAYBE_MADE}")
    return error


def look_at_groups(number: str, error: Refused) -> Call | None:
    """What to ask to learn how much of a refused change was made; None when nothing was."""
    if error.rpc_code not in (_IO_CODE, _UNFORESEEN_CODE):
        return None
    return dataclasses.replace(list_groups(number), timeout_seconds=halfdone.LOOK_SECONDS)


def group_in(result: Any, group_id: str) -> Mapping[str, Any] | None:
    """The group of that internal id in the answer to `look_at_groups`, however odd that is."""
    rows = result if isinstance(result, list) else []
    mine = (row for row in rows if isinstance(row, Mapping) and row.get("id") == group_id)
    return next(mine, None)


def refused_change(change: GroupChange, error: Refused, row: Mapping[str, Any]) -> Refused | None:
    """What to tell of a refused change of the group that is `row` now; None when all was made.

    Of a link only whether there is one is listed, and nothing of the picture. It is one step with
    name and description, the last; what these are now they may have been before as well.
    """
    shown = _shown(row)
    asked = _asked(change)
    done: dict[str, bool | None] = {name: shown.get(name) == it for name, it in asked.items()}
    if done.get("group_link") and not asked["group_link"]:
        done["group_link"] = None
    if "base64_avatar" in done:
        together = [done[name] for name in ("name", "description") if name in done]
        done["base64_avatar"] = None if all(together) else False
    return halfdone.what_is_left(error, done) if done else error


def is_left(number: str, row: Mapping[str, Any]) -> bool:
    """Whether the account has left the group that is `row` now, or declined to come.

    Who is invited is no member yet. Raises `RequestError` (invalid response).
    """
    is_asked = number in _addresses(row, "pendingMembers", "requestingMembers")
    return row.get("isMember") is False and not is_asked


def is_joined(row: Mapping[str, Any]) -> bool:
    """Whether the account is a member of it."""
    return row.get("isMember") is True


def is_blocked(row: Mapping[str, Any]) -> bool:
    """Whether the account has blocked it."""
    return row.get("isBlocked") is True


def are_changed(change: MemberChange, people: Sequence[str], row: Mapping[str, Any]) -> bool:
    """Whether `change` was made with all of the people.

    Who was invited was added. Nobody is known by a username, or by a number that is not listed.
    Raises `RequestError` (invalid response).
    """
    lists = {
        MemberChange.ADD_MEMBERS: ("members", "pendingMembers"),
        MemberChange.ADD_ADMINS: ("admins",),
    }.get(change)
    if lists is None:  # that somebody is not listed may mean that only the number is not known
        return False
    known = _addresses(row, *lists)
    return all(person(one) in known for one in people)


def no_members(people: Sequence[str], result: Any, row: Mapping[str, Any]) -> list[str]:
    """Who should have become an admin and is no member, when `result` says that nothing changed.

    signal-cli passes over them without a word. `row` is the group as it was listed; of usernames it
    does not tell. Raises `RequestError` (invalid response).
    """
    if result != {}:
        return []
    known = _addresses(row, "members")
    named = [(one, person(one)) for one in people]
    return [one for one, name in named if name not in known and not name.startswith(_NOT_LISTED)]


def not_removed(
    change: MemberChange, people: Sequence[str], result: Any, row: Mapping[str, Any]
) -> list[str]:
    """Who is still in the group that is `row`, when `result` says that removing changed nothing.

    Of usernames a group does not tell. Raises `RequestError` (invalid response).
    """
    if change not in _TAKEN_FROM or result != {}:
        return []
    known = _addresses(row, *_TAKEN_FROM[change])
    return [one for one in people if person(one) in known]


def removal_failed(people: Sequence[str]) -> Refused:
    """The error of a removal after which these people are as they were.

    `{number}` is meant literally.
    """
    return Refused(_NOT_REMOVED.format(", ".join(people)), 0)


def _addresses(row: Mapping[str, Any], *lists: str) -> set[str]:
    """The numbers and UUIDs in these lists of a group."""
    listed = [member for name in lists for member in results.as_rows(row.get(name))]
    return {results.text(member, name) for member in listed for name in ("number", "uuid")}


def _asked(change: GroupChange) -> dict[str, Any]:
    """What a change asks for, by the names of its body; of the picture only that it does.

    Of the link it is whether there is to be none.
    """
    asked = {
        "group_link": None if change.group_link is None else change.group_link == "disabled",
        "permissions.add_members": change.permissions.add_members or None,
        "permissions.edit_group": change.permissions.edit_group or None,
        "expiration_time": change.expiration_time,
        "permissions.send_messages": change.permissions.send_messages or None,
        "name": change.name,
        "description": change.description,
        "base64_avatar": None if change.avatar is None else True,
    }
    return without_none(asked)


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """The same of a listed group."""
    permission = {name: PERMISSIONS.get(str(value)) for name, value in row.items()}
    return {
        "group_link": not row.get("groupInviteLink"),
        "permissions.add_members": permission.get("permissionAddMember"),
        "permissions.edit_group": permission.get("permissionEditDetails"),
        "expiration_time": row.get("messageExpirationTime"),
        "permissions.send_messages": permission.get("permissionSendMessage"),
        "name": row.get("name") or "",
        "description": row.get("description") or "",
    }
