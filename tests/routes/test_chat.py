"""Typing, reactions, receipts, remote delete, polls: to whom, and what if some are missed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.routes.conftest import ACCOUNT
from tests.support import Bridge, ScriptedDaemon, eventually
from tests.support.scripted_daemon import VERSION, error, result

INTERNAL_ID = "Pmpi+EfPWmsxiomLe9Nx2XF9HOE483p6iKiFj65iMwI="
GROUP_ID = "group.UG1waStFZlBXbXN4aW9tTGU5TngyWEY5SE9FNDgzcDZpS2lGajY1aU13ST0="
UUID = "11111111-1111-1111-1111-111111111111"
SPELLINGS = [
    ("+491", {"recipient": "+491"}),
    (UUID, {"recipient": UUID}),
    ("foo.01", {"recipient": "u:foo.01"}),
    ("u:foo.01", {"recipient": "u:foo.01"}),
    (GROUP_ID, {"group-id": INTERNAL_ID}),
    (INTERNAL_ID, {"group-id": INTERNAL_ID}),
]
MS = 1700000000123
POLL = {"question": "q", "answers": ["a"]}
REQUESTS: list[tuple[str, str, dict[str, Any], str, int]] = [
    ("PUT", "typing-indicator", {}, "sendTyping", 204),
    ("DELETE", "typing-indicator", {}, "sendTyping", 204),
    (
        "POST", "reactions", {"reaction": "x", "target_author": "+491", "timestamp": 5},
        "sendReaction", 204,
    ),
    ("DELETE", "reactions", {"target_author": "+491", "timestamp": 5}, "sendReaction", 204),
    ("DELETE", "remote-delete", {"timestamp": 5}, "remoteDelete", 201),
    ("POST", "pin-message", {"target_author": "+491", "timestamp": MS}, "sendPinMessage", 201),
    ("DELETE", "pin-message", {"target_author": "+491", "timestamp": MS}, "sendUnpinMessage", 201),
]  # fmt: skip


def params_of(daemon: ScriptedDaemon, method: str) -> dict[str, Any]:
    (request,) = daemon.asked(method)
    found: dict[str, Any] = request.params
    return found


@pytest.mark.parametrize(("spelled", "wanted"), SPELLINGS)
@pytest.mark.parametrize(("verb", "path", "body", "method", "status"), REQUESTS)
def test_a_chat_may_be_spelled_as_one_likes(
    verb: str,
    path: str,
    body: dict[str, Any],
    method: str,
    status: int,
    spelled: str,
    wanted: dict[str, str],
    served: Bridge,
    daemon: ScriptedDaemon,
) -> None:
    answer = served.request(verb, f"/v1/{path}/{ACCOUNT}", json=body | {"recipient": spelled})
    assert answer.status_code == status
    params = params_of(daemon, method)
    named = {name: params[name] for name in ("recipient", "group-id") if name in params}
    assert named == wanted


def test_the_author_of_a_message_may_be_a_username(served: Bridge, daemon: ScriptedDaemon) -> None:
    body = {"recipient": "+491", "reaction": "x", "target_author": "foo.01", "timestamp": 5}
    assert served.post(f"/v1/reactions/{ACCOUNT}", json=body).status_code == 204
    assert params_of(daemon, "sendReaction")["target-author"] == "u:foo.01"


def test_a_receipt_of_viewing_is_one(served: Bridge, daemon: ScriptedDaemon) -> None:
    body = {"recipient": "foo.01", "receipt_type": "viewed", "timestamp": 5}
    assert served.post(f"/v1/receipts/{ACCOUNT}", json=body).status_code == 204
    assert params_of(daemon, "sendReceipt") == {
        "recipient": "u:foo.01",
        "type": "viewed",
        "target-timestamp": 5,
        "account": ACCOUNT,
    }


def test_whom_a_call_missed_is_logged_without_a_name(
    served: Bridge, daemon: ScriptedDaemon
) -> None:
    missed = {"recipientAddress": {"number": "+49777"}, "type": "UNREGISTERED_FAILURE"}
    outcomes = [{"recipientAddress": {"number": "+491"}, "type": "SUCCESS"}, missed, missed]
    daemon.on("sendTyping", result({"timestamp": 5, "results": outcomes}))
    answer = served.put(
        f"/v1/typing-indicator/{ACCOUNT}",
        json={"recipient": GROUP_ID},
        headers={"X-Request-ID": "missed"},
    )
    assert (answer.status_code, answer.content) == (204, b"")
    line = "missed sendTyping: UNREGISTERED_FAILURE for 2 recipients"
    eventually(lambda: line in served.log)
    assert "+49777" not in served.log


@pytest.mark.parametrize("odd", [None, [], "x", {"results": "x"}, {"results": [1, {}]}])
def test_what_has_gone_out_is_not_a_failure(
    odd: Any, served: Bridge, daemon: ScriptedDaemon
) -> None:
    daemon.on("sendReaction", result(odd))
    body = {"recipient": "+491", "reaction": "x", "target_author": "+491", "timestamp": 5}
    assert served.post(f"/v1/reactions/{ACCOUNT}", json=body).status_code == 204


def test_a_poll_is_made_voted_in_and_closed(served: Bridge, daemon: ScriptedDaemon) -> None:
    daemon.on("sendPollCreate", result({"timestamp": 1700000000123}))
    made = served.post(f"/v1/polls/{ACCOUNT}", json=POLL | {"recipient": INTERNAL_ID})
    assert (made.status_code, made.json()) == (201, {"timestamp": "1700000000123"})
    about = {"recipient": INTERNAL_ID, "poll_timestamp": made.json()["timestamp"]}
    ballot = about | {"poll_author": "foo.01", "selected_answers": [1]}
    assert served.post(f"/v1/polls/{ACCOUNT}/vote", json=ballot).status_code == 204
    assert served.delete(f"/v1/polls/{ACCOUNT}", json=about).status_code == 204
    assert params_of(daemon, "sendPollVote") == {
        "group-id": INTERNAL_ID,
        "poll-author": "u:foo.01",
        "poll-timestamp": 1700000000123,
        "option": [0],
        "vote-count": 1,
        "account": ACCOUNT,
    }
    assert params_of(daemon, "sendPollTerminate")["group-id"] == INTERNAL_ID


@pytest.mark.parametrize(
    ("answers", "status", "text"),
    [
        ([None], 400, "Invalid index in selected_answers specified, index needs to be >= 1!"),
        ([2**31], 400, "Couldn't process request - invalid request"),
        ([True], 400, "Couldn't process request - invalid request"),
        ([1.0], 400, "Couldn't process request - invalid request"),
        ("1", 400, "Couldn't process request - invalid request"),
    ],
)
def test_selected_answers_are_whole_numbers(
    answers: Any, status: int, text: str, served: Bridge, daemon: ScriptedDaemon
) -> None:
    ballot = {"recipient": "+491", "poll_author": "+491", "poll_timestamp": "5"}
    answer = served.post(f"/v1/polls/{ACCOUNT}/vote", json=ballot | {"selected_answers": answers})
    assert (answer.status_code, answer.json()["error"]) == (status, text)


def test_a_signal_cli_that_is_too_old_is_named_with_the_version_that_is_needed(
    served: Bridge, daemon: ScriptedDaemon
) -> None:
    daemon.on("sendPollCreate", error(-32601, "Method not implemented"))
    answer = served.post(f"/v1/polls/{ACCOUNT}", json=POLL | {"recipient": "+491"})
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["retryable"]) == (
        501,
        "not_supported",
        False,
    )
    assert problem["error"] == (
        f"signal-cli {VERSION} does not have sendPollCreate; that needs signal-cli 0.13.23 or newer"
    )


def test_a_message_is_pinned_in_any_chat_for_a_while(
    served: Bridge, daemon: ScriptedDaemon
) -> None:
    message = {"recipient": "foo.01", "target_author": UUID, "timestamp": MS}
    answer = served.post(f"/v1/pin-message/{ACCOUNT}", json=message | {"duration": 60})
    assert (answer.status_code, answer.content) == (201, b"")
    pinned = {"target-author": UUID, "target-timestamp": MS, "account": ACCOUNT}
    assert params_of(daemon, "sendPinMessage") == pinned | {
        "recipient": "u:foo.01",
        "pin-duration": 60,
    }
    answer = served.delete(f"/v1/pin-message/{ACCOUNT}", json=message)
    assert (answer.status_code, answer.content) == (201, b"")
    assert params_of(daemon, "sendUnpinMessage") == pinned | {"recipient": "u:foo.01"}


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "Couldn't process request - recipient missing"),
        ({"recipient": "+491"}, "Couldn't process request - target_author missing"),
        ({"recipient": "+491", "target_author": "+491"},
         "Couldn't process request - timestamp missing"),
        ({"recipient": "group.!", "target_author": "+491", "timestamp": MS}, "Invalid group id"),
        ({"recipient": "+491", "timestamp": str(MS)},
         "Couldn't process request - invalid request"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("verb", ["POST", "DELETE"])
def test_a_pin_names_its_message(
    verb: str, body: dict[str, Any], text: str, served: Bridge, daemon: ScriptedDaemon
) -> None:
    answer = served.request(verb, f"/v1/pin-message/{ACCOUNT}", json=body)
    assert (answer.status_code, answer.json()["error"]) == (400, text)
    assert not daemon.asked("sendPinMessage")
    assert not daemon.asked("sendUnpinMessage")


@pytest.mark.parametrize("group", [GROUP_ID, INTERNAL_ID.replace("/", "%2F"), GROUP_ID[6:]])
def test_an_admin_deletes_a_message_of_somebody_for_everybody(
    group: str, served: Bridge, daemon: ScriptedDaemon
) -> None:
    daemon.on("sendAdminDelete", result({"timestamp": 7, "results": []}))
    answer = served.delete(
        f"/v1/groups/{ACCOUNT}/{group}/messages", json={"target_author": "foo.01", "timestamp": MS}
    )
    assert (answer.status_code, answer.json()) == (201, {"timestamp": "7"})
    assert params_of(daemon, "sendAdminDelete") == {
        "target-author": "u:foo.01",
        "target-timestamp": MS,
        "group-id": INTERNAL_ID,
        "account": ACCOUNT,
    }


@pytest.mark.parametrize(
    ("path", "body", "text"),
    [
        (f"/{GROUP_ID}", {"timestamp": MS}, "Couldn't process request - target_author missing"),
        (f"/{GROUP_ID}", {"target_author": "+491"}, "Couldn't process request - timestamp missing"),
        ("/", {"target_author": "+491", "timestamp": MS}, "Please specify a group id"),
        ("/%21", {"target_author": "+491", "timestamp": MS}, "Invalid group id"),
    ],
)
def test_a_deletion_names_its_message(
    path: str, body: dict[str, Any], text: str, served: Bridge, daemon: ScriptedDaemon
) -> None:
    answer = served.delete(f"/v1/groups/{ACCOUNT}{path}/messages", json=body)
    assert (answer.status_code, answer.json()["error"]) == (400, text)
    assert not daemon.asked("sendAdminDelete")


def test_who_is_no_admin_hears_it_from_signal_cli(served: Bridge, daemon: ScriptedDaemon) -> None:
    daemon.on("sendAdminDelete", error(-1, "User is not a member in group: x"))
    answer = served.delete(
        f"/v1/groups/{ACCOUNT}/{GROUP_ID}/messages",
        json={"target_author": "+491", "timestamp": MS},
    )
    assert (answer.status_code, answer.json()["error"]) == (400, "User is not a member in group: x")
