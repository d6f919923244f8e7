"""Invite links of groups: joining by one, and making a new one (rest-surface.rst 13.5)."""

from __future__ import annotations

from typing import Final

from flask import jsonify
from flask.typing import ResponseReturnValue

from signal_bridge.errors import ConnectionLost, DaemonError, Refused
from signal_bridge.signalcli import groups, invitelinks
from signal_bridge.signalcli.addresses import required_group_id
from signal_bridge.web.edge.context import bridge
from signal_bridge.web.edge.inputs import read_body, required_number
from signal_bridge.web.routes.outcomes import run_for_each
from signal_bridge.web.schemas.invite_links import JOIN

_RESET_ALL_THE_SAME: Final = "The link was reset, but what it is now could not be asked: {}"


def join(number: str) -> ResponseReturnValue:
    """Join the group of an `invite_link`. 200 with the group's id.

    The link begins with `https://signal.group/#` or `sgnl://signal.group/#`. Answers
    `{"id": "group.…", "awaits_approval": false}`; with `awaits_approval` true, an admin of the
    group has to let the account in first. 400 for what is no such link, for one that was reset or
    switched off, and while a request to be let in is still open.
    """
    number = required_number(number)
    body = read_body(JOIN)
    return jsonify(invitelinks.joined(run_for_each(invitelinks.join(number, **body))))


def reset(number: str, group_id: str) -> ResponseReturnValue:
    """Make the group's invite link useless, in favour of a new one. 200 with the new one.

    Answers `{"invite_link": "https://signal.group/#…"}`, which is empty while the group's link is
    switched off. 400 when the account may not do that.
    """
    number = required_number(number)
    internal_id = required_group_id(group_id)
    run_for_each(invitelinks.reset(number, internal_id))
    try:
        listed = bridge().gateway.run(groups.list_group(number, internal_id))
    except (Refused, DaemonError) as error:
        text = _RESET_ALL_THE_SAME.format(error)
        raise ConnectionLost(text, request_written=True) from error
    return jsonify(invite_link=invitelinks.link_in(listed))
