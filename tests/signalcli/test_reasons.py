"""One row of the table of reasons after the other."""

from __future__ import annotations

from typing import Any

import pytest

from signal_bridge import errors
from signal_bridge.signalcli.reasons import OUTDATED_TEXT, outdated
from signal_bridge.signalcli.refusals import refusal


def data(*kinds: str) -> dict[str, Any]:
    return {"response": {"timestamp": 1, "results": [{"type": kind} for kind in kinds]}}


ROWS = [
    ({"code": -3, "message": "[499] StatusCode: 499 (DeprecatedVersionException)"},
     errors.SignalCliOutdated, False),
    ({"code": -4, "message": "Failed to send message due to untrusted identities"},
     errors.UntrustedIdentity, False),
    ({"code": -5, "message": "Failed", "data": data("RATE_LIMIT_FAILURE")},
     errors.RateLimited, True),
    ({"code": -6, "message": "Captcha rejected, it may be outdated"},
     errors.CaptchaRejected, False),
    ({"code": -1, "message": "Captcha rejected, it may be outdated, already used"},
     errors.CaptchaRejected, False),
    ({"code": -1, "message": "Invalid captcha given."}, errors.CaptchaRejected, False),
    ({"code": -1, "message": "Captcha required for verification, use --captcha CAPTCHA\n"},
     errors.CaptchaRequired, False),
    ({"code": -32601, "message": "Method not implemented"}, errors.NotSupported, False),
    ({"code": -32602, "message": "Specified account does not exist"},
     errors.UnknownAccount, False),
    ({"code": -1, "message": "Failed to send message", "data": data("NETWORK_FAILURE")},
     errors.SignalUnreachable, True),
    ({"code": -1, "message": "Failed to send message", "data": data("IDENTITY_FAILURE")},
     errors.UntrustedIdentity, False),
    ({"code": -1, "message": "Failed to send message", "data": data("RATE_LIMIT_FAILURE")},
     errors.RateLimited, True),
    ({"code": -1, "message": "Failed to send message", "data": data("UNREGISTERED_FAILURE")},
     errors.RecipientUnregistered, False),
    ({"code": -1, "message": "The user +491 is not registered."},
     errors.RecipientUnregistered, False),
    ({"code": -32603, "message": "Failed to send message: [429] (RateLimitException) (Unexp…"},
     errors.RateLimited, True),
    ({"code": -32603, "message": "Failed to send message: Closed unexpectedly (SocketException)"},
     errors.SignalUnreachable, True),
    ({"code": -3, "message": "Failed to register: java.net.UnknownHostException: chat.signal.org"},
     errors.SignalUnreachable, True),
    ({"code": -3, "message": "Link request error: Connection closed!"},
     errors.SignalUnreachable, True),
    # what the table does not know
    ({"code": -1, "message": "Failed to send message",
      "data": data("NETWORK_FAILURE", "UNREGISTERED_FAILURE")}, errors.Refused, False),
    ({"code": -1, "message": "Group not found: abc="}, errors.Refused, False),
    ({"code": -32603, "message": "because \"x\" is null (NullPointerException)"},
     errors.Refused, False),
]  # fmt: skip


@pytest.mark.parametrize(("error", "kind", "retryable"), ROWS)
def test_a_refusal_says_what_it_is_and_whether_again_can_help(
    error: dict[str, Any], kind: type[errors.Refused], retryable: bool
) -> None:
    refused = refusal(error)
    assert type(refused) is kind
    assert refused.retryable is retryable
    assert refused.rpc_code == error["code"]


def test_each_kind_of_captcha_has_its_address() -> None:
    assert "/challenge/" in errors.RateLimited.captcha_url
    assert "/registration/" in errors.CaptchaRequired.captcha_url


@pytest.mark.parametrize(
    "line",
    [
        "ERROR SignalAccountFiles - Failed to load *: signal-cli version is too old for the "
        "Signal-Server, please update. (IOException)",
        "WARN  Manager - [499] StatusCode: 499",
        "org.whispersystems.signalservice.api.push.exceptions.DeprecatedVersionException",
    ],
)
def test_a_signal_cli_that_ended_as_too_old_is_known_by_any_of_its_last_lines(line: str) -> None:
    assert outdated(["WARN something", line, "Failed to load local accounts file"]) == OUTDATED_TEXT


def test_one_that_ended_for_another_reason_is_not_too_old() -> None:
    assert outdated(["Failed to load local accounts file", "WARN StatusCode: 500"]) is None
    assert outdated([]) is None
