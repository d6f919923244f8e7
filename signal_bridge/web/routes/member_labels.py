"""Labels of members: what an account calls itself in a group (rest-surface.rst 13.3)."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from signal_bridge.signalcli import groups, memberlabels, versions
from signal_bridge.signalcli.addresses import required_group_id
from signal_bridge.web.edge.context import bridge
from signal_bridge.web.edge.inputs import read_body, required_number
from signal_bridge.web.schemas.member_labels import MEMBER_LABEL


def change(number: str, group_id: str) -> ResponseReturnValue:
    """Change the account's own label in the group: `label`, `label_emoji`, or both. 204.

    What is left out stays, an empty text takes it away. The labels of all members are in the group
    with `expand=true`. 400 when neither is given; 501 before signal-cli 0.14.1.
    """
    number = required_number(number)
    internal_id = required_group_id(group_id)
    call = memberlabels.change_own_label(number, internal_id, **read_body(MEMBER_LABEL))
    gateway = bridge().gateway
    if memberlabels.changed_nothing(gateway.run(call)):
        listed = gateway.run(groups.list_group(number, internal_id))
        if not memberlabels.are_known(listed):
            version = gateway.signal_cli_version()
            raise versions.too_old("labels of members", memberlabels.SINCE, version)
    return "", 204
