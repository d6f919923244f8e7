"""Groups: made, changed, joined and left (signal-cli.rst 2.7)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

from signal_bridge.sandbox import errors, groups
from signal_bridge.sandbox.attachments import file_problem, read_file
from signal_bridge.sandbox.call import Call, Handler
from signal_bridge.sandbox.envelopes import Message
from signal_bridge.sandbox.groups import Group, Label, checked_id
from signal_bridge.sandbox.people import Person
from signal_bridge.sandbox.sending import find_group, send_to_group

Json = dict[str, Any]

_LINKS: Final = {
    "enabled": groups.ENABLED,
    "enabledWithApproval": groups.WITH_APPROVAL,
    "enabled-with-approval": groups.WITH_APPROVAL,
    "disabled": groups.DISABLED,
}
_PERMISSIONS: Final = {
    "everyMember": groups.EVERYBODY,
    "every-member": groups.EVERYBODY,
    "onlyAdmins": groups.ADMINS,
    "only-admins": groups.ADMINS,
}
_PERMISSION_PARAMS: Final = {
    "setPermissionAddMember": "add_member",
    "setPermissionEditDetails": "edit_details",
    "setPermissionSendMessages": "send_message",
}
_INACTIVE: Final = "Group link is not valid: Group link inactive (reason: {})"
_DETAILS: Final = ("name", "description")
_ADMIN_PARAMS: Final = ("removeMember", "admin", "removeAdmin", "ban", "unban")


def list_groups(call: Call) -> list[Json]:
    """`listGroups`: those of the account, or the ones with `groupId`; unknown ids are left out."""
    account = call.account
    wanted = [checked_id(text) for text in call.params.texts("groupId")]
    known = [call.network.groups[each] for each in account.groups]
    return [
        group.as_json(
            account.person, group.id in account.blocked_groups, call.version.details_members
        )
        for group in known
        if not wanted or group.id in wanted
    ]


async def update_group(call: Call) -> Json:
    """`updateGroup`: without `groupId` a new one. `{}` if nothing changed.

    Who is invited accepts by it, whatever else it is to change.
    """
    change = _Change(call)
    await asyncio.to_thread(change.read_avatar)
    group_id = call.params.text("groupId")
    if group_id is None:
        return await _create(call, change)
    group = find_group(call, group_id)
    person = call.account.person
    accepts = person.aci in group.pending
    if accepts:
        group.add(person)
    group.need_member(person)
    change.check_rights(group)
    if not change.apply(group) and not accepts:
        return {}
    return await _announce_update(call, group)


async def join_group(call: Call) -> Json:
    """`joinGroup`: `groupId`, the results of telling it, `onlyRequested` if an admin decides."""
    key, password = groups.read_invite(call.params.needed_text("uri"))
    person = call.account.person
    group = next((each for each in call.network.groups.values() if each.key == key), None)
    if group is None or group.link == groups.DISABLED or group.link_password != password:
        raise errors.user_error(_INACTIVE.format("UNKNOWN"))
    if person.aci in group.banned:
        raise errors.user_error(_INACTIVE.format("BANNED"))
    if person.aci in group.requesting:
        text = "Pending admin approval: You have already requested to join the group."
        raise errors.user_error(text)
    needs_approval = group.link == groups.WITH_APPROVAL and person.aci not in group.pending
    if needs_approval and not group.has(person):
        group.requesting[person.aci] = person
        group.revision += 1
        return {"timestamp": 0, "results": [], "groupId": group.id, "onlyRequested": True}
    group.add(person)
    call.account.groups.add(group.id)
    return {**await _announce_update(call, group), "groupId": group.id}


async def quit_group(call: Call) -> Json:
    """`quitGroup`: the results of telling it, `{}` for who had left; `delete` forgets the group.

    Who is invited declines by it.
    """
    group = _group_to_quit(call)
    person, people = call.account.person, call.network.people
    result: Json = {}
    if group.has(person) or person.aci in group.pending:
        group.admins |= {people.find(text).need_person().aci for text in call.params.texts("admin")}
        _refuse_last_admin(group, person)
        group.remove(person)
        result = await _announce_update(call, group)
    if call.params.flag("delete"):
        call.account.groups.discard(group.id)
    return result


METHODS: Final[dict[str, Handler]] = {
    "listGroups": list_groups,
    "updateGroup": update_group,
    "joinGroup": join_group,
    "quitGroup": quit_group,
}


class _Change:
    """What one `updateGroup` asks for, checked before anything is done."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._params = params = call.params
        self._link = _choice(params.text("link"), _LINKS, "Invalid group link state")
        self._permissions = {
            attribute: _choice(params.text(name), _PERMISSIONS, "Invalid group permission")
            for name, attribute in _PERMISSION_PARAMS.items()
        }
        self._details: Json = {name: params.text(name) for name in _DETAILS}
        self._details["expiration"] = params.integer("expiration")
        self._reset_link = bool(params.flag("resetLink"))
        self._label = self._read_label() if call.version.details_members else Label()

    def read_avatar(self) -> None:
        path = self._params.text("avatar")
        try:
            self._details["avatar"] = read_file(path) if path else None
        except OSError as error:
            text = f"Failed to send message: {file_problem(error)}"
            raise errors.internal_error(text) from None

    def check_rights(self, group: Group) -> None:
        """Others than admins may do what the permissions say, and no more."""
        edits = any(value is not None for value in self._details.values())
        rules = any(self._permissions.values()) or self._link is not None or self._reset_link
        manages = any(self._params.texts(name) for name in _ADMIN_PARAMS)
        adds = bool(self._params.texts("member"))
        restricted = (edits and group.edit_details == groups.ADMINS) or (
            adds and group.add_member == groups.ADMINS
        )
        if rules or manages or restricted:
            group.need_admin(self._call.account.person)

    def apply(self, group: Group) -> bool:
        """True if anything is different now."""
        before = _state(group)
        for name, value in {**self._details, **self._permissions, "link": self._link}.items():
            if value is not None:
                setattr(group, name, value)
        if self._reset_link:
            group.link_password = Group("").link_password
        self._change_people(group)
        self._set_label(group)
        return _state(group) != before

    def _change_people(self, group: Group) -> None:
        actions: dict[str, Callable[[Person], None]] = {
            "member": lambda person: self._add(group, person),
            "removeMember": group.remove,
            "admin": lambda person: group.admins.add(person.aci),
            "removeAdmin": lambda person: group.admins.discard(person.aci),
            "ban": group.ban,
            "unban": group.unban,
        }
        people = {name: self._people(name) for name in actions}
        for name, action in actions.items():
            for person in people[name]:
                action(person)
        group.admins &= set(group.members)

    def _add(self, group: Group, person: Person) -> None:
        """Only whose profile is known can be added; others are invited."""
        if self._call.account.knows_profile(person):
            group.add(person)
        else:
            group.invite(person)

    def _read_label(self) -> Label:
        return Label(self._params.text("memberLabelEmoji"), self._params.text("memberLabel"))

    def _set_label(self, group: Group) -> None:
        """What is not given stays."""
        person, new = self._call.account.person, self._label
        if new == Label():
            return
        old = group.label(person)
        emoji = old.emoji if new.emoji is None else new.emoji
        group.labels[person.aci] = Label(emoji, old.text if new.text is None else new.text)

    def _people(self, name: str) -> list[Person]:
        find = self._call.network.people.find
        return [find(text).need_person() for text in self._params.texts(name)]


async def _create(call: Call, change: _Change) -> Json:
    group = Group("")
    group.add(call.account.person)
    group.admins.add(call.account.person.aci)
    change.apply(group)
    call.network.groups[group.id] = group
    call.account.groups.add(group.id)
    return {"groupId": group.id, **await _announce(call, group, update=False)}


async def _announce_update(call: Call, group: Group) -> Json:
    group.revision += 1
    return await _announce(call, group, update=True)


async def _announce(call: Call, group: Group, update: bool) -> Json:
    """Tell the members. A failure is in the results but is no error (signal-cli.rst 2.3)."""
    message = Message(call.account.person.ticker.next_ms(), group_update=update)
    results = await send_to_group(call, group, message)
    return {"results": results, "timestamp": message.timestamp}


def _group_to_quit(call: Call) -> Group:
    group_id = call.params.needed_text("groupId")
    try:
        return find_group(call, group_id)
    except errors.RpcError as error:
        raise errors.user_error(f"Failed to send to group: {error.message}") from None


def _refuse_last_admin(group: Group, person: Person) -> None:
    if group.admins == {person.aci} and len(group.members) > 1:
        text = "You need to specify a new admin with --admin: User is last admin in group"
        raise errors.user_error(f"{text}: {group.title}")


def _choice(value: str | None, choices: dict[str, str], complaint: str) -> str | None:
    if value is None:
        return None
    if value not in choices:
        raise errors.user_error(f"{complaint}: {value}")
    return choices[value]


def _state(group: Group) -> Json:
    state = dict(vars(group))
    copies = ("members", "pending", "requesting", "banned", "admins", "labels")
    return {**state, **{name: state[name].copy() for name in copies}}
