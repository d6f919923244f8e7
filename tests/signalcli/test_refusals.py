from __future__ import annotations

from typing import Any

import pytest

from signal_bridge.errors import (
    NotFound,
    RateLimited,
    Refused,
    RequestError,
    UnknownAccount,
    UntrustedIdentity,
)
from signal_bridge.signalcli.refusals import (
    challenge_tokens,
    contact_avatar_refusal,
    failed_recipients,
    group_avatar_refusal,
    rate_limit_answer,
    refusal,
    registration_refusal,
    retry_after_seconds,
    username_refusal,
)

LIMITED = {
    "code": -5,
    "message": "Failed to send message due to rate limiting",
    "data": {
        "response": {
            "timestamp": 7,
            "results": [
                {"type": "RATE_LIMIT_FAILURE", "token": "tok1", "retryAfterSeconds": 60},
                {"type": "SUCCESS"},
                {"type": "RATE_LIMIT_FAILURE", "token": "", "retryAfterSeconds": 86400},
                {"type": "RATE_LIMIT_FAILURE", "token": None},
            ],
        }
    },
}
ADVICE = (
    ". Use the attached challenge tokens to lift the rate limit restrictions via the "
    "'/v1/accounts/{number}/rate-limit-challenge' endpoint."
)


@pytest.mark.parametrize(
    ("error", "kind", "message", "code"),
    [
        ({"code": -1, "message": "Group not found"}, Refused, "Group not found", -1),
        ({"code": -3, "message": "a\nb", "data": None}, Refused, "a\nb", -3),
        ({"code": -32602, "message": "x"}, UnknownAccount, "x", -32602),
        ({"code": -4, "message": "Untrusted blah"}, UntrustedIdentity,
         "Unable to complete request due to untrusted recipient keys", -4),
        (LIMITED, RateLimited, "Failed to send message due to rate limiting", -5),
        ({"code": -5, "message": "Failed", "data": None}, RateLimited, "Failed", -5),
        ({"code": -5, "message": "F", "data": {"response": {"results": []}}}, RateLimited, "F", -5),
        ({"code": -5, "message": "F", "data": {"response": None}}, RateLimited, "F", -5),
        ({"code": -5, "message": "F"}, Refused,
         "F (Couldn't parse JSON for more details", -5),
        ({"code": -5, "message": "F", "data": "x"}, Refused,
         "F (Couldn't parse JSON for more details", -5),
        ({"code": -5, "message": "F", "data": {"response": {"results": [{"token": 1}]}}}, Refused,
         "F (Couldn't parse JSON for more details", -5),
        ({"code": 0, "message": "odd"}, Refused, "odd", 0),
        ({}, Refused, "signal-cli refused the request and did not say why", -32603),
    ],
)  # fmt: skip
def test_a_refusal_is_named(error: dict[str, Any], kind: type, message: str, code: int) -> None:
    found = refusal(error)
    assert type(found) is kind
    assert (str(found), found.rpc_code, found.data) == (message, code, error.get("data"))


def test_javas_words_become_a_sentence_and_its_class_is_kept_for_the_log() -> None:
    said = "class java.lang.Integer cannot be cast to class java.lang.Long (ClassCastException)"
    found = refusal({"code": -32603, "message": said})
    assert "milliseconds" in str(found)
    assert "java" not in str(found)
    assert found.java_classes == ["ClassCastException"]
    assert refusal({"code": -1, "message": "Group not found"}).java_classes == ()


def test_a_rate_limit_is_told_in_words_as_well() -> None:
    limited = refusal({"code": -5, "message": "Failed (RateLimitException)", "data": None})
    assert str(limited) == "Failed: Signal wants a pause; try again later"


def test_tokens_and_the_wait_are_read_from_the_data() -> None:
    limited = refusal(LIMITED)
    assert challenge_tokens(limited) == ["tok1"]
    assert retry_after_seconds(limited) == 86400
    assert [result["type"] for result in failed_recipients(limited)][1] == "SUCCESS"


@pytest.mark.parametrize("data", [None, "x", 5, {"response": 5}, {"response": {"results": "x"}}])
def test_data_without_results_has_neither_tokens_nor_a_wait(data: Any) -> None:
    limited = RateLimited("x", -5, data)
    assert challenge_tokens(limited) == []
    assert retry_after_seconds(limited) is None
    assert failed_recipients(limited) == []


def test_the_answer_to_a_rate_limit_carries_tokens_and_account() -> None:
    limited = refusal(LIMITED)
    assert isinstance(limited, RateLimited)
    answer = rate_limit_answer(limited, "+49")
    assert list(answer) == ["error", "challenge_tokens", "account"]
    assert answer["error"] == LIMITED["message"] + ADVICE  # type: ignore[operator]
    assert answer["challenge_tokens"] == ["tok1"]
    assert rate_limit_answer(RateLimited("F", -5), "+49") == {
        "error": "F" + ADVICE,
        "account": "+49",
    }


def test_a_registration_that_needs_a_call_says_so() -> None:
    text = "Failed to register: [400] StatusCode: 400 (InvalidTransportModeException)"
    refused = Refused(text, -3)
    assert str(registration_refusal(refused, use_voice=False)) == (
        "Couldn't use SMS verification to register the specified number. "
        'Wait 60 seconds and try again with {"use_voice": true}'
    )
    assert registration_refusal(refused, use_voice=True) is refused
    other = Refused("Captcha required", -1)
    assert registration_refusal(other, use_voice=False) is other


def test_a_missing_avatar_is_404_of_a_group_and_400_of_a_contact() -> None:
    missing = Refused("Could not find avatar", -1)
    assert isinstance(group_avatar_refusal(missing), NotFound)
    assert type(contact_avatar_refusal(missing)) is RequestError
    assert str(contact_avatar_refusal(missing)) == "No avatar found."
    other = Refused("boom", -1)
    assert group_avatar_refusal(other) is other
    assert contact_avatar_refusal(other) is other


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Captcha required for verification, use --captcha CAPTCHA\nTo get the token, go to x",
         'Captcha required for verification, send it as "captcha"\nTo get the token, go to x'),
        ("Verification failed! This number is locked with a pin. Hours remaining until reset: 153\n"
         "Use '--pin PIN_CODE' to specify the registration lock PIN",
         "Verification failed! This number is locked with a pin. Hours remaining until reset: 153\n"
         'Send it as "pin"'),
        ("You need to specify a new admin with --admin: User is last admin in group: a (b=)",
         "Make somebody else an admin first (POST /v1/groups/{number}/{groupid}/admins): "
         "User is last admin in group: a (b=)"),
        ("Not deleting account, it is still registered. Use --ignore-registered to delete it "
         "anyway.",
         "Not deleting account, it is still registered. "
         '"ignore_registered": true deletes it anyway.'),
    ],
)  # fmt: skip
def test_who_sends_requests_is_not_told_of_options(said: str, told: str) -> None:
    """signal-cli #124"""
    error = refusal({"code": -1, "message": said})
    assert (str(error), error.java_classes) == (told, ())


@pytest.mark.parametrize(
    "said",
    [
        "Failed to set username: StatusCode: 409",
        "Failed to set username: StatusCode: 409 (UsernameTakenException)",
        "Failed to set username: [409] Conflict (ConflictException)",
    ],
)
def test_a_username_that_somebody_has_is_said_to_be_taken(said: str) -> None:
    """signal-cli #1535"""
    error = username_refusal(refusal({"code": -3, "message": said}))
    assert str(error).startswith("Failed to set username: somebody has it already.")
    assert error.rpc_code == -3


def test_another_refusal_of_a_username_stays() -> None:
    error = refusal({"code": -1, "message": "Invalid username: x.409 is too short"})
    assert username_refusal(error) is error
