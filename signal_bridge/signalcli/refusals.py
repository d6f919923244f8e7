"""signal-cli's refusals as our errors (rest-surface.rst 2.4)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from signal_bridge.errors import (
    BridgeError,
    NotFound,
    RateLimited,
    Refused,
    RequestError,
    UntrustedIdentity,
)
from signal_bridge.signalcli.javatexts import java_classes, readable
from signal_bridge.signalcli.reasons import kind_of

UNTRUSTED: Final = "Unable to complete request due to untrusted recipient keys"
NO_AVATAR: Final = "No avatar found."
_NO_MESSAGE: Final = "signal-cli refused the request and did not say why"

IO_CODE: Final = -3
"""signal-cli could not reach the network, or the server failed it."""
_UNTRUSTED_CODE: Final = -4
_RATE_LIMIT_CODE: Final = -5
_INTERNAL_CODE: Final = -32603

# Options of the command line, which callers do not have.
_OPTIONS: Final = {
    "use --captcha CAPTCHA": 'send it as "captcha"',
    "Use '--pin PIN_CODE' to specify the registration lock PIN": 'Send it as "pin"',
    "You need to specify a new admin with --admin": (
        "Make somebody else an admin first (POST /v1/groups/{number}/{groupid}/admins)"
    ),
    "Use --ignore-registered to delete it anyway": '"ignore_registered": true deletes it anyway',
}
_TRY_VOICE: Final = (
    "Couldn't use SMS verification to register the specified number. "
    'Wait 60 seconds and try again with {"use_voice": true}'
)
_TAKEN: Final = (
    "Failed to set username: somebody has it already. Choose other digits behind the dot, or none: "
    "then Signal chooses them"
)
# HTTP's Conflict, whether signal-cli names its class or not.
_CONFLICT: Final = re.compile(r"\b409$|changed the same at the same time")
_LIFT_LIMIT: Final = (
    ". Use the attached challenge tokens to lift the rate limit restrictions via the "
    "'/v1/accounts/{number}/rate-limit-challenge' endpoint."
)


def refusal(error: Mapping[str, Any]) -> Refused:
    """The error that a JSON-RPC error object (`code`, `message`, `data`) stands for.

    The message stays as it is, but for an untrusted key (-4), for what it says in Java's words,
    which becomes a sentence, and for options of the command line, which become fields and routes.
    A code of 0, or none, is a refusal too; the peer would go on and fail at the missing result.
    """
    code = error.get("code")
    message = str(error.get("message") or _NO_MESSAGE)
    if code == _UNTRUSTED_CODE:
        return UntrustedIdentity(UNTRUSTED, code, error.get("data"))
    told = readable(message)
    if code == _RATE_LIMIT_CODE:
        return _rate_limit(told, error)
    known_code = code if isinstance(code, int) else _INTERNAL_CODE
    kind = kind_of(known_code, message, error.get("data"))
    classes = java_classes(message) if told != message else ()
    return kind(_without_options(told), known_code, error.get("data"), classes)


def challenge_tokens(error: Refused) -> list[str]:
    """What lifts a rate limit together with a captcha; none is empty (rest-surface.rst 11.20)."""
    return [entry["token"] for entry in _results(error.data) if entry.get("token")]


def retry_after_seconds(error: Refused) -> int | None:
    """When every recipient may be tried again, if signal-cli knows."""
    waits = [entry.get("retryAfterSeconds") for entry in _results(error.data)]
    return max((wait for wait in waits if isinstance(wait, int)), default=None)


def failed_recipients(error: Refused) -> list[Mapping[str, Any]]:
    """The per-recipient results of a send that reached nobody; empty if there are none."""
    return list(_results(error.data))


def unknown_numbers(error: Refused) -> list[str]:
    """The numbers among the recipients of a failed send whose UUID signal-cli does not know."""
    addresses = [entry.get("recipientAddress") for entry in _results(error.data)]
    return [
        number
        for address in addresses
        if isinstance(address, Mapping) and not address.get("uuid")
        if isinstance(number := address.get("number"), str) and number
    ]


def rate_limit_answer(error: RateLimited, account: str) -> dict[str, Any]:
    """The body of the 429 of `/v2/send`: `{"error", "challenge_tokens"?, "account"}`.

    The text names `{number}` literally (rest-surface.rst 4.5, C11).
    """
    tokens = challenge_tokens(error)
    attached = {"challenge_tokens": tokens} if tokens else {}
    return {"error": f"{error}{_LIFT_LIMIT}", **attached, "account": account}


def registration_refusal(error: Refused, use_voice: bool) -> BridgeError:
    """What to answer when `register` was refused.

    SMS impossible has a text of its own (rest-surface.rst 5.2).
    """
    sms_impossible = "StatusCode: 400 (InvalidTransportModeException)" in str(error)
    if use_voice or not sms_impossible:
        return error
    return Refused(_TRY_VOICE, error.rpc_code, error.data)


def username_refusal(error: Refused) -> Refused:
    """What to answer when a username was refused. That it is taken signal-cli says as a number."""
    if not _CONFLICT.search(str(error)):
        return error
    return Refused(_TAKEN, error.rpc_code, error.data, error.java_classes)


def group_avatar_refusal(error: Refused) -> BridgeError:
    """The answer to a group's refused avatar: 404 if there is none (rest-surface.rst 5.4)."""
    return NotFound(NO_AVATAR) if _no_avatar(error) else error


def contact_avatar_refusal(error: Refused) -> BridgeError:
    """The answer to a contact's refused avatar: 400 if there is none (rest-surface.rst 11.18)."""
    return RequestError(NO_AVATAR) if _no_avatar(error) else error


def _without_options(text: str) -> str:
    for option, ours in _OPTIONS.items():
        text = text.replace(option, ours)
    return text


def _no_avatar(error: Refused) -> bool:
    return str(error) == "Could not find avatar"


def _rate_limit(message: str, error: Mapping[str, Any]) -> Refused:
    data = error.get("data")
    if "data" not in error or not _is_send_data(data):
        # The bracket stays open in the peer, too.
        text = f"{message} (Couldn't parse JSON for more details"
        return Refused(text, _RATE_LIMIT_CODE, data)
    return RateLimited(message, _RATE_LIMIT_CODE, data)


def _is_send_data(data: Any) -> bool:
    """Whether data is null or `{"response": {"results": […]}}`, any part of it left out."""
    response = data.get("response") if isinstance(data, Mapping) else data
    entries = response.get("results") if isinstance(response, Mapping) else response
    return entries is None or (isinstance(entries, list) and all(map(_is_entry, entries)))


def _is_entry(entry: Any) -> bool:
    return isinstance(entry, Mapping) and isinstance(entry.get("token") or "", str)


def _results(data: Any) -> Iterator[Mapping[str, Any]]:
    response = data.get("response") if isinstance(data, Mapping) else None
    entries = response.get("results") if isinstance(response, Mapping) else None
    return (e for e in entries if _is_entry(e)) if isinstance(entries, list) else iter(())
