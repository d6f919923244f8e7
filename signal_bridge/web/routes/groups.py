"""Groups (rest-contract.md 5.4)."""

from __future__ import annotations

from flask import jsonify
from flask.typing import ResponseReturnValue

from signal_bridge.signalcli import groups
from signal_bridge.signalcli.recipients import internal_group_id, required_group_id
from signal_bridge.web.context import bridge
from signal_bridge.web.inputs import account_number, query_flag, read_body, required_number
from signal_bridge.web.schemas.groups import NEW_GROUP


def list_all(number: str) -> ResponseReturnValue:
    """All groups of the account; with `expand=true` people as number and UUID."""
    number = account_number(number)
    expand = query_flag("expand")
    return jsonify(groups.groups(bridge().gateway.run(groups.list_groups(number)), expand))


def get(number: str, group_id: str) -> ResponseReturnValue:
    """One group. 404 when there is none with that id (11.2)."""
    number = account_number(number)
    expand = query_flag("expand")
    result = bridge().gateway.run(groups.list_groups(number))
    return jsonify(groups.one_group(result, group_id, expand))


def create(number: str) -> ResponseReturnValue:
    """Create a group. 201 with its id."""
    number = account_number(number)
    call = groups.create_group(number, read_body(NEW_GROUP)["group"])
    return jsonify(groups.created_group(bridge().gateway.run(call))), 201


def leave(number: str, group_id: str) -> ResponseReturnValue:
    """Leave the group. 200 without a body (C2)."""
    number = account_number(number)
    bridge().gateway.run(groups.quit_group(number, required_group_id(group_id)))
    return "", 200


def leave_with_204(number: str, group_id: str) -> ResponseReturnValue:
    """Leave the group. 204."""
    number = required_number(number)
    bridge().gateway.run(groups.quit_group(number, internal_group_id(group_id)))
    return "", 204


def join(number: str, group_id: str) -> ResponseReturnValue:
    """Accept the invitation to the group. 204."""
    number = required_number(number)
    bridge().gateway.run(groups.join_group(number, internal_group_id(group_id)))
    return "", 204
