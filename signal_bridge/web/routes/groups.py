"""Groups (rest-surface.rst 5.4)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from flask import jsonify
from flask.typing import ResponseReturnValue

from signal_bridge.errors import Refused, RequestError
from signal_bridge.signalcli import attachments, groupoutcomes, groups, messages, refusals
from signal_bridge.signalcli.addresses import internal_group_id, required_group_id, rest_group_id
from signal_bridge.signalcli.groups import GroupChange, MemberChange, NewGroup
from signal_bridge.web.edge.context import bridge
from signal_bridge.web.edge.inputs import account_number, query_flag, read_body, required_number
from signal_bridge.web.edge.uploads import avatar_file
from signal_bridge.web.routes.new_groups import make_group
from signal_bridge.web.routes.outcomes import group_after, run_in_group
from signal_bridge.web.routes.pictures import picture
from signal_bridge.web.schemas.groups import (
    ADMINS,
    GROUP_CHANGE,
    MEMBERS,
    NEW_GROUP,
    PIN_MESSAGE,
    UNPIN_MESSAGE,
)


def list_all(number: str) -> ResponseReturnValue:
    """All groups of the account, those it has left included.

    People are shown by number, or by UUID when there is none; with `expand=true` by both, and
    members with `is_admin` and their labels, which signal-cli has since 0.14.1.
    """
    number = account_number(number)
    expand = query_flag("expand")
    return jsonify(groups.groups(bridge().gateway.run(groups.list_groups(number)), expand))


def get(number: str, group_id: str) -> ResponseReturnValue:
    """One group, by its `id` or `internal_id`. 404 when there is none (rest-surface.rst 11.2).

    `expand` as in the list of all.
    """
    number = account_number(number)
    expand = query_flag("expand")
    result = bridge().gateway.run(groups.list_groups(number))
    return jsonify(groups.one_group(result, group_id, expand))


def create(number: str) -> ResponseReturnValue:
    """Create a group. 201 with its id: `{"id": "group.…"}`.

    `name`, `description`, `base64_avatar`, `members` (numbers, UUIDs, usernames), `expiration_time`
    (seconds after which messages disappear), `group_link` (`enabled`, `enabled-with-approval`,
    `disabled`) and `permissions` (`add_members`, `edit_group`, `send_messages`, each `every-member`
    or `only-admins`); none is needed. 400 for a value that cannot be, and when no group came out
    that can be written to: then nothing of it is left.
    """
    number = account_number(number)
    group: NewGroup = read_body(NEW_GROUP)
    groups.check_new(group)
    if group.avatar is not None:
        group = dataclasses.replace(group, avatar=avatar_file(group.avatar))
    return jsonify({"id": rest_group_id(make_group(number, group))}), 201


def update(number: str, group_id: str) -> ResponseReturnValue:
    """Change the group. 204.

    `name`, `description`, `base64_avatar`, `expiration_time` (seconds), `group_link` (`enabled`,
    `enabled-with-approval`, `disabled`) and `permissions`, as in creating one. What is left out
    stays; an empty name or description is cleared, an `expiration_time` of 0 keeps messages for
    ever. 400 for a value that cannot be, and when signal-cli refused it; `error` says what was
    done if something was.
    """
    number = required_number(number)
    internal_id = internal_group_id(group_id)
    change: GroupChange = read_body(GROUP_CHANGE)
    groups.check_change(change)
    if change.avatar is not None:
        change = dataclasses.replace(change, avatar=avatar_file(change.avatar))
    try:
        bridge().gateway.run(groups.update_group(number, internal_id, change))
    except Refused as error:
        row = group_after(number, internal_id, error)
        left = error if row is None else groupoutcomes.refused_change(change, error, row)
        if left is not None:
            raise left from error
    return "", 204


def leave(number: str, group_id: str) -> ResponseReturnValue:
    """Leave the group. 200 without a body (rest-surface.rst C2). What was received in it stays."""
    number = account_number(number)
    _leave(number, required_group_id(group_id))
    return "", 200


def leave_with_204(number: str, group_id: str) -> ResponseReturnValue:
    """Leave the group. 204."""
    number = required_number(number)
    _leave(number, internal_group_id(group_id))
    return "", 204


def join(number: str, group_id: str) -> ResponseReturnValue:
    """Accept the invitation to the group. 204."""
    number = required_number(number)
    internal_id = internal_group_id(group_id)
    call = groups.join_group(number, internal_id)
    run_in_group(number, internal_id, call, groupoutcomes.is_joined)
    return "", 204


def block(number: str, group_id: str) -> ResponseReturnValue:
    """Block the group. 204."""
    number = required_number(number)
    internal_id = internal_group_id(group_id)
    call = groups.block_group(number, internal_id)
    run_in_group(number, internal_id, call, groupoutcomes.is_blocked)
    return "", 204


def add_members(number: str, group_id: str) -> ResponseReturnValue:
    """Add the people in `members` to the group. 204.

    400 when there are none, 404 when there is no such group.
    """
    number = _with_group(number, group_id)
    members = groups.required_members(read_body(MEMBERS)["members"])
    return _change_members(number, group_id, MemberChange.ADD_MEMBERS, members)


def remove_members(number: str, group_id: str) -> ResponseReturnValue:
    """Remove the people in `members` from the group. 204, also for nobody (rest-surface.rst C15).

    400 when nothing changed and somebody is still in it, 404 when there is no such group.
    """
    number = _with_group(number, group_id)
    members = read_body(MEMBERS)["members"]
    return _change_members(number, group_id, MemberChange.REMOVE_MEMBERS, members)


def add_admins(number: str, group_id: str) -> ResponseReturnValue:
    """Make the people in `admins` admins of the group. 204, also for nobody (rest-surface.rst C15).

    400 when nothing changed and somebody is no member, 404 when there is no such group.
    """
    number = _with_group(number, group_id)
    admins = read_body(ADMINS)["admins"]
    return _change_members(number, group_id, MemberChange.ADD_ADMINS, admins)


def remove_admins(number: str, group_id: str) -> ResponseReturnValue:
    """Make the people in `admins` ordinary members. 204, also for nobody (rest-surface.rst C15).

    400 when nothing changed and somebody is still an admin, 404 when there is no such group.
    """
    number = _with_group(number, group_id)
    admins = read_body(ADMINS)["admins"]
    return _change_members(number, group_id, MemberChange.REMOVE_ADMINS, admins)


def get_avatar(number: str, group_id: str) -> ResponseReturnValue:
    """The group's picture, byte for byte. 404 when it has none."""
    number = account_number(number)
    call = groups.get_group_avatar(number, internal_group_id(group_id))
    try:
        result = bridge().gateway.run(call)
    except Refused as error:
        raise refusals.group_avatar_refusal(error) from error
    return picture(attachments.avatar(result))


def pin_message(number: str, group_id: str) -> ResponseReturnValue:
    """Pin the message that `target_author` sent at `timestamp` (ms). 201, no body.

    `duration` is in seconds; without it the message stays pinned (rest-surface.rst C2, C20).
    """
    number = account_number(number)
    internal_id = required_group_id(group_id)
    body = read_body(PIN_MESSAGE)
    bridge().gateway.run(messages.pin_message(number, internal_id, **body))
    return "", 201


def unpin_message(number: str, group_id: str) -> ResponseReturnValue:
    """Unpin the message that `target_author` sent at `timestamp` (ms). 201, no body.

    400 when one of the two is missing (rest-surface.rst C2, 5.4).
    """
    number = account_number(number)
    internal_id = required_group_id(group_id)
    body = read_body(UNPIN_MESSAGE)
    bridge().gateway.run(messages.unpin_message(number, internal_id, **body))
    return "", 201


def _leave(number: str, internal_id: str) -> None:
    call = groups.quit_group(number, internal_id)
    run_in_group(number, internal_id, call, partial(groupoutcomes.is_left, number))


def _with_group(number: str, group_id: str) -> str:
    """The account of a path that must name a group as well. Raises RequestError."""
    number = required_number(number)
    if not group_id:
        raise RequestError("Couldn't process request - group id missing")
    return number


def _change_members(
    number: str, group_id: str, change: MemberChange, people: Sequence[str]
) -> ResponseReturnValue:
    """Nobody is nothing to do. The group must be one of those that are listed."""
    if people:
        listed = bridge().gateway.run(groups.list_groups(number))
        internal_id = groups.known_group_id(listed, group_id)
        call = groups.change_members(number, internal_id, change, people)
        is_done = partial(groupoutcomes.are_changed, change, people)
        result = run_in_group(number, internal_id, call, is_done)
        row = groupoutcomes.group_in(listed, internal_id) or {}
        if change is MemberChange.ADD_ADMINS:
            _check_admins(people, result, row)
        if groupoutcomes.not_removed(change, people, result, row):
            _check_removed(number, internal_id, change, people)
    return "", 204


def _check_admins(people: Sequence[str], result: Any, row: Mapping[str, Any]) -> None:
    strangers = groupoutcomes.no_members(people, result, row)
    if strangers:
        raise RequestError(f"Only members can be admins, not {', '.join(strangers)}")


def _check_removed(
    number: str, internal_id: str, change: MemberChange, people: Sequence[str]
) -> None:
    """Looks again: signal-cli changes nothing either when somebody else was faster."""
    listed = bridge().gateway.run(groups.list_groups(number))
    row = groupoutcomes.group_in(listed, internal_id) or {}
    left = groupoutcomes.not_removed(change, people, {}, row)
    if left:
        raise groupoutcomes.removal_failed(left)
