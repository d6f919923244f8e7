"""The magic numbers: sending to them fails as Signal fails."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from signal_bridge.sandbox.versions import Version
from tests.sandbox.daemon import ALICE, BOB, CAROL, Client, Sandbox

UNREGISTERED = "+12025550190"
CHANGED = "+12025550191"
CHALLENGED = "+12025550192"
LIMITED = "+12025550193"
SLOW = "+12025550194"
OFFLINE = "+12025550195"
STALE = "+12025550196"
BROKEN = "+12025550197"


def failure(error: dict[str, Any]) -> tuple[int, str, str]:
    """Code, message and the type of the only result."""
    assert list(error["data"]) == ["response"]
    response = error["data"]["response"]
    assert set(response) == {"timestamp", "results"}
    (result,) = response["results"]
    return error["code"], error["message"], result["type"]


@pytest.mark.parametrize(
    ("number", "code", "message", "kind"),
    [
        (UNREGISTERED, -1, "Failed to send message", "UNREGISTERED_FAILURE"),
        ("+15550009999", -1, "Failed to send message", "UNREGISTERED_FAILURE"),
        (
            CHANGED,
            -4,
            "Failed to send message due to untrusted identities",
            "IDENTITY_FAILURE",
        ),
        (CHALLENGED, -5, "Failed to send message due to rate limiting", "RATE_LIMIT_FAILURE"),
        (LIMITED, -5, "Failed to send message due to rate limiting", "RATE_LIMIT_FAILURE"),
        (OFFLINE, -1, "Failed to send message", "NETWORK_FAILURE"),
        (STALE, -1, "Failed to send message", "INVALID_PRE_KEY_FAILURE"),
    ],
)
def test_a_magic_number_fails_in_its_way(
    client: Client, number: str, code: int, message: str, kind: str
) -> None:
    error = client.error("send", recipient=[number], message="hi")
    assert failure(error) == (code, message, kind)


def test_an_unregistered_recipient_has_only_the_address_that_was_given(client: Client) -> None:
    for given, address in [
        ({"recipient": UNREGISTERED}, (None, UNREGISTERED, None)),
        ({"recipient": "u:nobody.42"}, (None, None, "nobody.42")),
        ({"username": "nobody.42"}, (None, None, "nobody.42")),
        (
            {"recipient": "00000000-0000-4000-8000-000000004444"},
            ("00000000-0000-4000-8000-000000004444", None, None),
        ),
        ({"recipient": "PNI:00000000-0000-4000-8000-000000004444"}, (None, None, None)),
    ]:
        error = client.error("send", message="hi", **given)
        found = error["data"]["response"]["results"][0]["recipientAddress"]
        assert (found["uuid"], found["number"], found["username"]) == address
        assert list(found) == ["uuid", "number", "username"]


def test_one_success_makes_the_whole_a_result(client: Client) -> None:
    results = client.result("send", recipient=[OFFLINE, BOB], message="hi")["results"]
    assert [entry["type"] for entry in results] == ["NETWORK_FAILURE", "SUCCESS"]


def test_different_failures_are_just_a_failure(client: Client) -> None:
    error = client.error("send", recipient=[CHANGED, OFFLINE], message="hi")
    assert (error["code"], error["message"]) == (-1, "Failed to send message")
    assert len(error["data"]["response"]["results"]) == 2


def test_a_call_may_break_as_a_whole(client: Client) -> None:
    assert client.error("send", recipient=[BROKEN], message="hi") == {
        "code": -32603,
        "message": "Failed to send message: Connection reset",
        "data": None,
    }


def test_a_plain_rate_limit_has_at_most_a_time_but_no_token(client: Client, knows: Version) -> None:
    error = client.error("send", recipient=[LIMITED], message="hi")
    result = error["data"]["response"]["results"][0]
    times = {"retryAfterSeconds": 60} if knows.says_when_to_retry else {}
    assert list(result) == ["recipientAddress", "type", *times]
    assert times.items() <= result.items()


def test_a_challenge_is_over_when_its_token_was_submitted(client: Client, knows: Version) -> None:
    error = client.error("send", recipient=[CHALLENGED], message="hi")
    result = error["data"]["response"]["results"][0]
    assert list(result) == ["recipientAddress", "type", "token", "retryAfterSeconds"]
    method = "submitRateLimitChallenge"
    rejected = client.error(method, challenge="another", captcha="signalcaptcha://x")
    assert rejected["code"] == knows.captcha_rejected
    assert rejected["message"].startswith("Captcha rejected, it may be outdated")
    again = client.error(method, challenge=result["token"], captcha="wrong")
    assert again["code"] == knows.captcha_rejected
    captcha = "signalcaptcha://x"
    assert client.result(method, challenge=result["token"], captcha=captcha) == {}
    assert client.result("send", recipient=[CHALLENGED], message="hi")
    assert client.error("send", account=BOB, recipient=[CHALLENGED], message="hi")


def test_a_changed_identity_is_over_when_it_is_trusted(client: Client) -> None:
    client.error("send", account=CAROL, recipient=[CHANGED], message="hi")
    identity = client.result("listIdentities", account=CAROL, number=CHANGED)[0]
    assert identity["trustLevel"] == "UNTRUSTED"
    assert client.result("trust", account=CAROL, recipient=CHANGED, trustAllKnownKeys=True) == {}
    assert client.result("send", account=CAROL, recipient=[CHANGED], message="hi")
    identity = client.result("listIdentities", account=CAROL, number=CHANGED)[0]
    assert identity["trustLevel"] == "TRUSTED_UNVERIFIED"


def test_a_daemon_that_trusts_always_does_not_mind(start: Callable[..., Sandbox]) -> None:
    client = start(before=("--trust-new-identities", "always")).connect()
    assert client.result("send", recipient=[CHANGED], message="hi")


def test_a_slow_send_succeeds_after_five_seconds(client: Client) -> None:
    started = time.monotonic()
    assert client.result("send", recipient=[SLOW], message="hi")
    assert time.monotonic() - started >= 5


def test_the_other_commands_of_the_send_family_fail_alike(client: Client) -> None:
    params = {"recipient": OFFLINE, "targetTimestamp": 1_700_000_000_000}
    for method in ("sendReaction", "sendReceipt", "remoteDelete", "sendTyping"):
        error = client.error(method, emoji="x", **params)
        assert failure(error) == (-1, "Failed to send message", "NETWORK_FAILURE")


def test_a_group_with_nobody_reachable_is_a_failure_and_an_empty_one_is_not(
    client: Client,
) -> None:
    lonely = client.result("updateGroup", name="lonely")["groupId"]
    assert client.result("send", groupId=lonely, message="hi")["results"] == []
    group = client.result("updateGroup", name="offline", member=[OFFLINE])
    assert [entry["type"] for entry in group["results"]] == ["NETWORK_FAILURE"]
    error = client.error("send", groupId=group["groupId"], message="hi")
    assert failure(error)[2] == "NETWORK_FAILURE"
    assert error["data"]["response"]["results"][0]["groupId"] == group["groupId"]
    assert client.result("quitGroup", account=ALICE, groupId=lonely)


def register_anew(client: Client, number: str) -> None:
    client.result("unregister", account=number)
    client.result("register", account=number)
    client.result("verify", account=number, verificationCode="1")


def test_who_registered_anew_is_not_trusted_by_those_who_knew_it(
    start: Callable[..., Sandbox],
) -> None:
    client = start("--receive-mode", "manual").connect()
    (before,) = client.result("listIdentities", number=BOB)
    register_anew(client, BOB)
    error = client.error("send", recipient=[BOB], message="hi")
    assert failure(error)[::2] == (-4, "IDENTITY_FAILURE")
    (identity,) = client.result("listIdentities", number=BOB)
    assert identity["trustLevel"] == "UNTRUSTED"
    assert identity["safetyNumber"] != before["safetyNumber"]
    (theirs,) = client.result("listIdentities", account=BOB, number=ALICE)
    assert theirs["safetyNumber"] == identity["safetyNumber"]
    params = {"recipient": BOB, "verifiedSafetyNumber": identity["safetyNumber"]}
    assert client.error("trust", **{**params, "verifiedSafetyNumber": before["safetyNumber"]})
    assert client.result("trust", **params) == {}
    assert client.result("send", recipient=[BOB], message="hi")
    (contact,) = client.result("listContacts", recipient=BOB)
    assert contact["unregistered"] is False


def test_what_the_untrusted_say_is_an_exception_first_and_shown_after_trust(
    start: Callable[..., Sandbox],
) -> None:
    client = start("--receive-mode", "manual").connect()
    client.result("subscribeReceive", account=None)
    group = client.result("updateGroup", name="g", member=[BOB, CAROL])["groupId"]
    register_anew(client, BOB)
    client.result("subscribeReceive", account=BOB)
    sent = client.result("send", account=BOB, recipient=[ALICE], message="it is me")["timestamp"]
    params = client.wait_for(lambda params: "UntrustedIdentityException" in str(params))["result"]
    assert list(params) == ["exception", "envelope", "account"]
    assert list(params["exception"]) == ["message", "type"]
    assert params["envelope"]["timestamp"] == sent
    assert params["envelope"]["sourceNumber"] == BOB
    assert list(params["envelope"])[-1] == "serverDeliveredTimestamp"
    client.result("trust", recipient=BOB, trustAllKnownKeys=True)
    assert client.data_message(ALICE, sent)["message"] == "it is me"
    results = client.result("send", groupId=group, message="all")["results"]
    assert {entry["type"] for entry in results} == {"SUCCESS"}
