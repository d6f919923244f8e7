"""Labels of members: what an account calls itself in a group (rest-surface.rst 13.3).

signal-cli has them since 0.14.1. An older one ignores the parameters, as all that it does not know
(signal-cli.rst 2.1), and answers that nothing changed. How labels are shown is in groups.py.
"""

from __future__ import annotations

from typing import Any, Final

from signal_bridge.errors import RequestError
from signal_bridge.signalcli import results
from signal_bridge.signalcli.call import Call
from signal_bridge.signalcli.params import without_none

SINCE: Final = "0.14.1"
"""The first signal-cli that has them."""


def change_own_label(
    number: str, group_id: str, label: str | None = None, label_emoji: str | None = None
) -> Call:
    """Change the account's own label in the group of that internal id, its emoji, or both.

    None leaves one as it is, an empty text takes it away. Raises `RequestError` when both are None.
    """
    if label is None and label_emoji is None:
        raise RequestError("Couldn't process request - label or label_emoji missing")
    params = {
        "groupId": group_id,
        "memberLabel": label,
        "memberLabelEmoji": label_emoji,
        "account": number,
    }
    return Call("updateGroup", without_none(params))


def changed_nothing(result: Any) -> bool:
    """Whether updateGroup told nobody of a change. Raises `RequestError` (invalid response)."""
    return "timestamp" not in results.as_row(result)


def are_known(listed: Any) -> bool:
    """Whether the signal-cli that lists these groups has labels: it says who is an admin, too.

    Raises `RequestError` (invalid response).
    """
    members = (results.as_rows(row.get("members")) for row in results.as_rows(listed))
    return any("isAdmin" in member for rows in members for member in rows)
