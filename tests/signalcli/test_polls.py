from __future__ import annotations

from typing import Any

import pytest

from signal_bridge.errors import RequestError
from signal_bridge.signalcli import polls, results
from signal_bridge.signalcli.call import Call

ME = "+4915112345"
BOB = "+491"
INTERNAL = "Pmpi+EfPWmsxiomLe9Nx2XF9HOE483p6iKiFj65iMwI="
GROUP = "group.UG1waStFZlBXbXN4aW9tTGU5TngyWEY5SE9FNDgzcDZpS2lGajY1aU13ST0="


@pytest.mark.parametrize(
    ("recipient", "target"),
    [
        (BOB, {"recipient": BOB}),
        (GROUP, {"group-id": INTERNAL}),
        ("user.01", {"username": "user.01"}),
        ("u:user.01", {"username": "user.01"}),
    ],
)
def test_a_poll_goes_to_one_recipient(recipient: str, target: dict[str, str]) -> None:
    assert polls.create_poll(ME, recipient, "q", ["a", "b"]) == Call(
        "sendPollCreate",
        {**target, "question": "q", "option": ["a", "b"], "no-multi": False, "account": ME},
    )


def test_a_poll_may_allow_one_answer_only() -> None:
    call = polls.create_poll(ME, BOB, "q", ["a"], allow_multiple_selections=False)
    assert call.params is not None
    assert call.params["no-multi"] is True


def test_a_poll_answers_its_time_as_a_text() -> None:
    assert results.timestamp({"timestamp": 124, "results": []}) == {"timestamp": "124"}


@pytest.mark.parametrize(
    ("recipient", "question", "answers", "text"),
    [
        ("", "", [], "Couldn't process request - recipient missing"),
        (BOB, "", [], "Couldn't process request - question missing"),
        (BOB, "q", [], "Couldn't process request - answers missing"),
        ("group.1234", "q", ["a"], "Invalid identifier group.1234"),
    ],
)
def test_a_poll_needs_all_its_parts(
    recipient: str, question: str, answers: list[str], text: str
) -> None:
    with pytest.raises(RequestError, match=f"^{text}$"):
        polls.create_poll(ME, recipient, question, answers)


def test_answers_are_counted_from_one() -> None:
    assert polls.vote(ME, BOB, "+492", "123", [1, 3]) == Call(
        "sendPollVote",
        {
            "recipient": BOB,
            "poll-author": "+492",
            "poll-timestamp": 123,
            "option": [0, 2],
            "vote-count": 1,
            "account": ME,
        },
    )


MISSING = "Couldn't process request - {} missing"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("", "", "", []), MISSING.format("poll_timestamp")),
        (("", "", "x", []), MISSING.format("poll_author")),
        (("", BOB, "x", []), MISSING.format("selected_answers")),
        (("", BOB, "x", [0]), MISSING.format("recipient")),
        (("group.1234", BOB, "x", [0]), "Couldn't process request - invalid timestamp"),
        (
            ("group.1234", BOB, "5", [1, 0]),
            "Invalid index in selected_answers specified, index needs to be >= 1!",
        ),
        (("group.1234", BOB, "5", [1]), "Invalid identifier group.1234"),
    ],
)
def test_a_vote_needs_all_its_parts(arguments: Any, text: str) -> None:
    with pytest.raises(RequestError) as caught:
        polls.vote(ME, *arguments)
    assert str(caught.value) == text


def test_a_poll_is_closed() -> None:
    assert polls.close_poll(ME, "u.01", "123") == Call(
        "sendPollTerminate", {"username": "u.01", "poll-timestamp": 123, "account": ME}
    )


@pytest.mark.parametrize(
    ("recipient", "timestamp", "text"),
    [
        ("", "", "poll_timestamp missing"),
        ("", "x", "recipient missing"),
        (BOB, "x", "invalid timestamp"),
        (BOB, "9223372036854775808", "invalid timestamp"),
    ],
)
def test_closing_a_poll_needs_all_its_parts(recipient: str, timestamp: str, text: str) -> None:
    with pytest.raises(RequestError, match=f"^Couldn't process request - {text}$"):
        polls.close_poll(ME, recipient, timestamp)
