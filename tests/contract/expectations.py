"""Where the bridge is not like the recorded peer: not yet, or on purpose.

Both lists may only shrink: the tests fail if an entry has become needless.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from tests.contract.vectors import Call, Vector

_NO_NUMBER = "is not an international number: it must begin with + and the country code"

# Routes that are still to be built. {} is one part of the path, which may be empty.
NOT_YET_DUE: tuple[str, ...] = ()


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
    """Something that is better than in the peer. `rule` is where that is written.

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
            vector,
            status=status,
            text=body,
            length=None,
            content_type="application/json",
        )

    return instead


def _refused(text: str) -> Callable[[Vector], Vector]:
    """A 400, and signal-cli was not asked."""
    return lambda vector: _without_calls(_error(400, text)(vector))


def _refusal_shown(vector: Vector) -> Vector:
    return _error(400, vector.calls[-1].reply["error"]["message"])(vector)


def _own_edit_permission(vector: Vector) -> Vector:
    """The recorded groups have permissionEditDetails ONLY_ADMINS, or none at all.

    Those of which signal-cli says after how many seconds messages disappear show that, too.
    """
    answer = json.loads(vector.text or "")
    listed = {row["id"]: row for row in vector.calls[0].reply["result"]}
    for group in answer if isinstance(answer, list) else [answer]:
        if group["permissions"]["edit_group"]:
            group["permissions"]["edit_group"] = "only-admins"
        if "messageExpirationTime" in (row := listed[group["internal_id"]]):
            group["expiration_time"] = row["messageExpirationTime"]
    return replace(vector, text=json.dumps(answer))


def _without_calls(vector: Vector) -> Vector:
    return replace(vector, calls=())


def _with_params(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Vector], Vector]:
    """The last call has parameters that differ by `change`."""

    def instead(vector: Vector) -> Vector:
        *before, call = vector.calls
        return replace(vector, calls=(*before, Call(call.method, change(call.params), call.reply)))

    return instead


def _usernames_marked(params: dict[str, Any]) -> dict[str, Any]:
    def marked(value: Any) -> Any:
        if isinstance(value, list):
            return [marked(item) for item in value]
        return f"u:{value}" if value in ("foo.01", "user.01") else value

    return {name: marked(value) for name, value in params.items()}


def _receipt_type(params: dict[str, Any]) -> dict[str, Any]:
    return {"type" if name == "receipt-type" else name: value for name, value in params.items()}


def _contacts_whole(vector: Vector) -> Vector:
    """With what signal-cli said of each of them."""
    answer = json.loads(vector.text or "")
    shown = answer if isinstance(answer, list) else [answer]
    for contact, row in zip(shown, vector.calls[0].reply["result"], strict=False):
        profile, expiration = row.get("profile") or {}, row.get("messageExpirationTime")
        names = (profile.get("givenName"), profile.get("familyName"))
        contact["blocked"] = row.get("isBlocked") or False
        contact["message_expiration"] = "" if expiration is None else str(expiration)
        contact["profile_name"] = " ".join(filter(None, names))
        if "isArchived" in row:
            contact["archived"] = row["isArchived"]
    return replace(vector, text=json.dumps(answer))


def _asked_by_an_account(vector: Vector) -> Vector:
    """For the number that was meant: in two of the three a plus became a space on the way."""
    asked = {"recipient": ["+491"], "account": "+4915112345"}
    return _with_params(lambda params: params | asked)(vector)


def _recipient_as_it_is(params: dict[str, Any]) -> dict[str, Any]:
    canonical = {
        "PNI:11111111-1111-1111-1111-111111111111": "PNI:11111111-1111-1111-1111-111111111111",
        " +491 ": "+491",
        "+49 15 1": "+49151",
    }
    (named,) = params.get("username") or params["recipient"]
    others = {name: value for name, value in params.items() if name != "username"}
    return others | {"recipient": [canonical.get(named, "11111111-1111-1111-1111-111111111111")]}


def _files_only(vector: Vector) -> Vector:
    return replace(vector, text='["a.png","b","empty","j.json"]')


def _of_any_length(vector: Vector) -> Vector:
    return replace(vector, length=None)


def _as_a_get(content_type: str) -> Callable[[Vector], Vector]:
    def instead(vector: Vector) -> Vector:
        return replace(vector, status=200, text="", length=None, content_type=content_type)

    return instead


def _no_content(vector: Vector) -> Vector:
    return replace(vector, status=204, text="", length=None, content_type=None)


DEVIATIONS = (
    Deviation(
        "rest-surface.rst 11.32",
        "numbers, UUIDs and PNIs are given to signal-cli in one spelling, as what they are",
        (
            "POST /v2/send pni",
            'POST /v2/send {"message": "x", "number": "NUMBER", "recipients": [" +491 "]}',
            'POST /v2/send {"message": "x", "number": "NUMBER", "recipients": ["+49 15 1"]}',
            'POST /v2/send {"message": "x", "number": "NUMBER", "recipients": ["{UUID}"]}',
            'POST /v2/send {"message": "x", "number": "NUMBER", "recipients": '
            '["11111111111111111111111111111111"]}',
        ),
        _with_params(_recipient_as_it_is),
    ),
    Deviation(
        "rest-surface.rst 11.32",
        "a marked username is sent to, not one that begins with u:",
        ("POST /v2/send u: prefix",),
        _with_params(lambda params: params | {"username": ["foo.01"]}),
    ),
    Deviation(
        "rest-surface.rst 11.32",
        "a number without its country is refused, not guessed at or taken for a username",
        ("POST /v2/send number without plus",),
        _refused(f"4915112345 {_NO_NUMBER}"),
    ),
    Deviation(
        "rest-surface.rst 11.32",
        "a plus is no number",
        ('POST /v2/send {"message": "x", "number": "NUMBER", "recipients": ["+"]}',),
        _refused(f"+ {_NO_NUMBER}"),
    ),
    Deviation(
        "rest-surface.rst 11.32",
        "what begins as a group's id and is none is an invalid one on every route",
        (
            'DELETE /v1/remote-delete/NUMBER {"recipient": "group.abc", "timestamp": 5}',
            'POST /v1/polls/NUMBER {"recipient": "group.!!", "question": "q", "answers": ["a"]}',
            'PUT /v1/contacts/NUMBER {"recipient": "group.xx", "name": "x"}',
        ),
        _refused("Invalid group id"),
    ),
    Deviation(
        "rest-surface.rst 11.32",
        "whose key is to be trusted has to be somebody",
        ('PUT /v1/identities/NUMBER/trust/%25 {"trust_all_known_keys": true}',),
        _refused(
            "% names nobody: a number begins with + and the country code, a name is like "
            "name.01, and an id is a UUID or begins with group.",
        ),
    ),
    Deviation(
        "rest-surface.rst 11.32",
        "a search is for the number that was meant, never for another that signal-cli makes of it",
        ("GET /v1/search/NUMBER?numbers=1", "GET /v1/search?numbers=1"),
        _refused(f"1 {_NO_NUMBER}"),
    ),
    Deviation(
        "rest-surface.rst 11.32",
        "two numbers with a comma between are no number",
        ("GET /v1/search/NUMBER?numbers=%2B491,%2B492",),
        _refused(f"+491,+492 {_NO_NUMBER}"),
    ),
    Deviation(
        "rest-surface.rst 3.1",
        "signal-cli's own group id is understood, instead of becoming 32 mangled bytes",
        (
            "DELETE /v1/groups/NUMBER/Pmpi%2BEfPWmsxiomLe9Nx2XF9HOE483p6iKiFj65iMwI= "
            "internal id given",
        ),
        _with_params(
            lambda params: params | {"groupId": "Pmpi+EfPWmsxiomLe9Nx2XF9HOE483p6iKiFj65iMwI="}
        ),
    ),
    Deviation(
        "rest-surface.rst 11.2",
        "a group that does not exist is not found, instead of being null",
        (
            "GET /v1/groups/NUMBER/UNPREFIXED no prefix",
            "GET /v1/groups/NUMBER/nope missing",
            "GET /v1/groups/NUMBER/nope?expand=true missing",
        ),
        _error(404, "No group with that id found"),
    ),
    Deviation(
        "rest-surface.rst 11.3",
        "what signal-cli refused to change is an error, not a success",
        ("PUT /v1/profiles/NUMBER rpc err", "PUT /v1/groups/NUMBER/GROUP rpc error"),
        _refusal_shown,
    ),
    Deviation(
        "rest-surface.rst 11.4",
        "why a username was refused is said",
        ('POST /v1/accounts/NUMBER/username {"username": "x"}',),
        _refusal_shown,
    ),
    Deviation(
        "rest-surface.rst 11.5",
        "a receipt says what it is in the parameter that signal-cli reads",
        (
            'POST /v1/receipts/NUMBER {"recipient": "+491", "receipt_type": "read", '
            '"timestamp": 5}',
            'POST /v1/receipts/NUMBER {"recipient": "+491", "receipt_type": "viewed", '
            '"timestamp": 5}',
            'POST /v1/receipts/NUMBER {"recipient": "+491", "receipt_type": "read", '
            '"timestamp": 5} #2',
        ),
        _with_params(_receipt_type),
    ),
    Deviation(
        "rest-surface.rst 11.6",
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
        "rest-surface.rst 11.7",
        "a contact is shown as signal-cli has it: blocked, archived, its timer, its profile's name",
        ("GET /v1/contacts/NUMBER?all_recipients=true", "GET /v1/contacts/NUMBER/UUID"),
        _contacts_whole,
    ),
    Deviation(
        "rest-surface.rst 11.12",
        "an attachment's name cannot lead out of its directory",
        ("POST /v2/send att traversal",),
        _with_params(lambda params: params | {"attachment": ["ATTACHMENT_TMP_DIR/UUID4/foo.txt"]}),
    ),
    Deviation(
        "rest-surface.rst 11.13",
        "only files are attachments: the directory itself is not found, no failure of ours",
        (
            "GET /v1/attachments/%2E%2E att %2E%2E",
            "GET /v1/attachments/.. att ..",
            "GET /v1/attachments/. att .",
            "GET /v1/attachments/%2e att %2e",
            "DELETE /v1/attachments/%2E%2E",
        ),
        _error(404, "No attachment with that name found"),
    ),
    Deviation(
        "rest-surface.rst 11.13",
        "only what can be fetched is listed: no links, nothing from directories below",
        ("GET /v1/attachments #2",),
        _files_only,
    ),
    Deviation(
        "rest-surface.rst 11.14",
        "an expiration time of 0 is sent, so that a timer can be switched off",
        (
            'PUT /v1/groups/NUMBER/GROUP {"name": "x", "description": "", "expiration_time": 0, '
            '"group_link": "disabled", "permissions": {"add_members": "only-admins", '
            '"edit_group": "", "send_messages": "every-mem',
        ),
        _with_params(lambda params: params | {"expiration": 0}),
    ),
    Deviation(
        "rest-surface.rst 11.15",
        "a username is marked as one wherever signal-cli would take it for a number",
        (
            'POST /v1/groups/NUMBER/GROUP/admins {"admins": ["+491", "foo.01"]}',
            'DELETE /v1/groups/NUMBER/GROUP/admins {"admins": ["+491", "foo.01"]}',
            'DELETE /v1/typing-indicator/NUMBER {"recipient": "user.01"}',
            'DELETE /v1/remote-delete/NUMBER {"recipient": "user.01", "timestamp": 5}',
        ),
        _with_params(_usernames_marked),
    ),
    Deviation(
        "rest-surface.rst 11.16",
        "a search that names no account is asked by one that exists",
        ("GET /v1/search?numbers=%2B491", "GET /v1/search?numbers=+491 plus -> space"),
        _asked_by_an_account,
    ),
    Deviation(
        "rest-surface.rst 11.22",
        "an impossible QR code version is refused before a link is begun",
        ("GET /v1/qrcodelink?device_name=a&qrcode_version=0",),
        _without_calls,
    ),
    Deviation(
        "rest-surface.rst 11.25",
        "a preview's URL starts with https://, not only with the word",
        (
            'POST /v2/send {"message": "see https://x", "number": "NUMBER", "recipients": '
            '["+491"], "link_preview": {"url": "httpsfoo", "title": "t"}}',
        ),
        _error(400, "Link Preview URL must start with https://.."),
    ),
    Deviation(
        "rest-surface.rst 5.10",
        "POST /v1/receive/{number} registers a webhook; the peer has no such route",
        ("POST /v1/receive/NUMBER",),
        _error(400, "Couldn't process request - invalid request"),
    ),
    Deviation(
        "rest-surface.rst 5.9",
        "a plain GET receives in every mode, so its query counts",
        ("GET /v1/receive/NUMBER?timeout=abc",),
        _error(400, "Couldn't process request - timeout needs to be numeric!"),
    ),
    Deviation(
        "rest-surface.rst 11.41",
        "HEAD is answered wherever GET is, without a body",
        ("HEAD /v1/about",),
        _as_a_get("application/json"),
    ),
    Deviation(
        "rest-surface.rst 11.41",
        "HEAD is answered wherever GET is, without a body",
        ("HEAD /v1/attachments/a.png",),
        _as_a_get("image/png"),
    ),
    Deviation(
        "rest-surface.rst 11.41",
        "OPTIONS says which methods there are",
        ("OPTIONS /v1/about",),
        _no_content,
    ),
    Deviation(
        "rest-surface.rst 5.12",
        "the viewer and its document are our own, and speak of the host they come from",
        (
            "GET /swagger/index.html",
            "GET /swagger/doc.json",
            "GET /swagger/swagger-ui.css",
        ),
        _of_any_length,
    ),
)
