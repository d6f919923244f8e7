"""Where the bridge is not like the recorded peer: not yet, or on purpose.

Both lists may only shrink: the tests fail if an entry has become needless.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from tests.contract.vectors import Call, Vector

# Routes that are still to be built. {} is one part of the path, which may be empty.
NOT_YET_DUE = (
    "GET /v1/configuration",
    "GET /v1/configuration/",
    "POST /v1/configuration",
    "GET /v1/configuration/{}/settings",
    "POST /v1/configuration/{}/settings",
    "PUT /v1/groups/{}/{}",
    "GET /v1/groups/{}/{}/avatar",
    "POST /v1/groups/{}/{}/block",
    "POST /v1/groups/{}/{}/members",
    "DELETE /v1/groups/{}/{}/members",
    "POST /v1/groups/{}/{}/admins",
    "DELETE /v1/groups/{}/{}/admins",
    "POST /v1/groups/{}/{}/pin-message",
    "DELETE /v1/groups/{}/{}/pin-message",
    "POST /v1/accounts/{}/rate-limit-challenge",
    "PUT /v1/accounts/{}/settings",
    "POST /v1/accounts/{}/username",
    "DELETE /v1/accounts/{}/username",
    "POST /v1/accounts/{}/pin",
    "DELETE /v1/accounts/{}/pin",
    "GET /v1/devices/{}",
    "POST /v1/devices/{}",
    "DELETE /v1/devices/{}/{}",
    "GET /v1/attachments",
    "DELETE /v1/attachments/{}",
    "GET /v1/sticker-packs/{}",
    "POST /v1/sticker-packs/{}",
    "GET /v1/identities/{}",
    "PUT /v1/identities/{}/trust/{}",
    "PUT /v1/typing-indicator/{}",
    "DELETE /v1/typing-indicator/{}",
    "DELETE /v1/remote-delete/{}",
    "POST /v1/reactions/{}",
    "DELETE /v1/reactions/{}",
    "POST /v1/receipts/{}",
    "GET /v1/search",
    "GET /v1/search/",
    "GET /v1/search/{}",
    "GET /v1/contacts/{}",
    "PUT /v1/contacts/{}",
    "GET /v1/contacts/{}/{}",
    "GET /v1/contacts/{}/{}/avatar",
    "POST /v1/contacts/{}/sync",
    "POST /v1/polls/{}",
    "POST /v1/polls/{}/vote",
    "DELETE /v1/polls/{}",
    "GET /swagger",
    "GET /swagger/{}",
)


def pattern_of(entry: str) -> re.Pattern[str]:
    return re.compile(re.escape(entry).replace(r"\{\}", "[^/]*"))


_NOT_YET_DUE = [pattern_of(entry) for entry in NOT_YET_DUE]


def is_due(vector: Vector) -> bool:
    """WebSocket is still to come as well: a request that asks for it is not due either."""
    request = f"{vector.method} {vector.route}"
    return "Upgrade" not in vector.headers and not any(
        pattern.fullmatch(request) for pattern in _NOT_YET_DUE
    )


@dataclass(frozen=True)
class Deviation:
    """Something that is better than in the peer. `rule` is where the contract says so.

    `instead` makes of a recorded exchange the one that we want.
    """

    rule: str
    reason: str
    names: tuple[str, ...]
    instead: Callable[[Vector], Vector]


def _error(status: int, text: str) -> Callable[[Vector], Vector]:
    def instead(vector: Vector) -> Vector:
        body = json.dumps({"error": text})
        return replace(
            vector, status=status, text=body, length=None, content_type="application/json"
        )

    return instead


def _refusal_shown(vector: Vector) -> Vector:
    return _error(400, vector.calls[-1].reply["error"]["message"])(vector)


def _own_edit_permission(vector: Vector) -> Vector:
    """The recorded groups have permissionEditDetails ONLY_ADMINS, or none at all."""
    answer = json.loads(vector.text or "")
    for group in answer if isinstance(answer, list) else [answer]:
        if group["permissions"]["edit_group"]:
            group["permissions"]["edit_group"] = "only-admins"
    return replace(vector, text=json.dumps(answer))


def _without_calls(vector: Vector) -> Vector:
    return replace(vector, calls=())


def _group_itself(vector: Vector) -> Vector:
    call = vector.calls[0]
    params = call.params | {"groupId": "Pmpi+EfPWmsxiomLe9Nx2XF9HOE483p6iKiFj65iMwI="}
    return replace(vector, calls=(Call(call.method, params, call.reply),))


def _safe_file_name(vector: Vector) -> Vector:
    call = vector.calls[0]
    params = call.params | {"attachment": ["ATTACHMENT_TMP_DIR/UUID4/foo.txt"]}
    return replace(vector, calls=(Call(call.method, params, call.reply),))


DEVIATIONS = (
    Deviation(
        "3.1",
        "signal-cli's own group id is understood, instead of becoming 32 mangled bytes",
        (
            "DELETE /v1/groups/NUMBER/Pmpi%2BEfPWmsxiomLe9Nx2XF9HOE483p6iKiFj65iMwI= "
            "internal id given",
        ),
        _group_itself,
    ),
    Deviation(
        "11.2",
        "a group that does not exist is not found, instead of being null",
        (
            "GET /v1/groups/NUMBER/UNPREFIXED no prefix",
            "GET /v1/groups/NUMBER/nope missing",
            "GET /v1/groups/NUMBER/nope?expand=true missing",
        ),
        _error(404, "No group with that id found"),
    ),
    Deviation(
        "11.3",
        "a profile that signal-cli refused to change is an error, not a success",
        ("PUT /v1/profiles/NUMBER rpc err",),
        _refusal_shown,
    ),
    Deviation(
        "11.6",
        "edit_group is the group's permission to edit, not its permission to send",
        (
            "GET /v1/groups/NUMBER",
            "GET /v1/groups/NUMBER?expand=true",
            "GET /v1/groups/NUMBER?expand=true&expand=false",
            "GET /v1/groups/NUMBER/GROUP?expand=true",
        ),
        _own_edit_permission,
    ),
    Deviation(
        "11.12",
        "an attachment's name cannot lead out of its directory",
        ("POST /v2/send att traversal",),
        _safe_file_name,
    ),
    Deviation(
        "11.13",
        "only files are attachments: the directory itself is not found, no failure of ours",
        (
            "GET /v1/attachments/%2E%2E att %2E%2E",
            "GET /v1/attachments/.. att ..",
            "GET /v1/attachments/. att .",
            "GET /v1/attachments/%2e att %2e",
        ),
        _error(404, "No attachment with that name found"),
    ),
    Deviation(
        "11.22",
        "an impossible QR code version is refused before a link is begun",
        ("GET /v1/qrcodelink?device_name=a&qrcode_version=0",),
        _without_calls,
    ),
    Deviation(
        "11.25",
        "a preview's URL starts with https://, not only with the word",
        (
            'POST /v2/send {"message": "see https://x", "number": "NUMBER", "recipients": '
            '["+491"], "link_preview": {"url": "httpsfoo", "title": "t"}}',
        ),
        _error(400, "Link Preview URL must start with https://.."),
    ),
    Deviation(
        "5.9, decided",
        "a plain GET receives in every mode, so its query counts",
        ("GET /v1/receive/NUMBER?timeout=abc",),
        _error(400, "Couldn't process request - timeout needs to be numeric!"),
    ),
)
