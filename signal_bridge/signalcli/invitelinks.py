"""Invite links of groups: joining by one, and making a new one (rest-surface.rst 13.5).

A link is `https://signal.group/#` or `sgnl://signal.group/#` and base64url of a protobuf message
with the group's key and the link's password, as signal-cli 0.14's GroupInviteLinkUrl reads it.
"""

from __future__ import annotations

import base64
from typing import Any, Final
from urllib.parse import urlsplit

from signal_bridge.errors import RequestError
from signal_bridge.signalcli import results
from signal_bridge.signalcli.addresses import rest_group_id
from signal_bridge.signalcli.call import Call

_NO_LINK: Final = (
    "This is not the invite link of a group, which begins with https://signal.group/# or"
    " sgnl://signal.group/#"
)
_INCOMPLETE: Final = "The invite link is not complete: what comes after the # is cut off or changed"
_HOST: Final = "signal.group"


def join(number: str, invite_link: str) -> Call:
    """Join the group of that link, or ask to be let in.

    Spaces around it do not count. Raises `RequestError` (it is missing, no invite link, or not
    complete).
    """
    link = invite_link.strip()
    if not link:
        raise RequestError("Couldn't process request - invite_link missing")
    _check(link)
    return Call("joinGroup", {"uri": link, "account": number})


def joined(result: Any) -> dict[str, Any]:
    """`{"id": "group.…", "awaits_approval": false}`: where, and whether an admin has to agree.

    Raises `RequestError` (invalid response).
    """
    row = results.as_row(result)
    return {
        "id": rest_group_id(results.text(row, "groupId")),
        "awaits_approval": results.flag(row, "onlyRequested"),
    }


def reset(number: str, group_id: str) -> Call:
    """Make the link of the group of that internal id useless, in favour of a new one."""
    return Call("updateGroup", {"groupId": group_id, "resetLink": True, "account": number})


def link_in(listed: Any) -> str:
    """The link of the one group that is listed; empty when it is off, or there is no group."""
    return next((results.text(row, "groupInviteLink") for row in results.as_rows(listed)), "")


def _check(link: str) -> None:
    """What can be told of a link without asking Signal."""
    try:
        parts = urlsplit(link)
        host = parts.hostname
    except ValueError:
        raise RequestError(_NO_LINK) from None
    if parts.scheme not in ("https", "sgnl") or host != _HOST or parts.path not in ("", "/"):
        raise RequestError(_NO_LINK)
    if not _is_whole(parts.fragment):
        raise RequestError(_INCOMPLETE)


def _is_whole(encoded: str) -> bool:
    """Whether it is base64 of a key and a password: a tag, their size, and that many bytes."""
    bare = encoded.rstrip("=")
    try:
        raw = base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return False
    return len(raw) > 2 and len(raw) - 2 >= raw[1]
