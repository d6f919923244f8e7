"""Polls (rest-surface.rst 5.6).

A poll's timestamp (ms) is a text here, in requests and answers, and answers count from 1
(rest-surface.rst C10). `create_poll` is answered with `results.timestamp`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from signal_bridge.errors import RequestError
from signal_bridge.signalcli.addresses import classify, person
from signal_bridge.signalcli.call import Call
from signal_bridge.signalcli.params import int64, timestamp_ms

_MISSING: Final = "Couldn't process request - {} missing"


def create_poll(
    number: str,
    recipient: str,
    question: str,
    answers: Sequence[str],
    allow_multiple_selections: bool = True,
) -> Call:
    """Ask a question. Raises `RequestError` (something is missing; as `classify`)."""
    _require(recipient=recipient, question=question, answers=answers)
    params = {
        **_target(recipient),
        "question": question,
        "option": list(answers),
        "no-multi": not allow_multiple_selections,
        "account": number,
    }
    return Call("sendPollCreate", params)


def vote(
    number: str,
    recipient: str,
    poll_author: str,
    poll_timestamp: str,
    selected_answers: Sequence[int],
) -> Call:
    """Vote in the poll of that author and time. Raises `RequestError`.

    signal-cli wants to know how often the account has voted; that is always said to be once
    (rest-surface.rst C20).
    """
    _require(
        poll_timestamp=poll_timestamp,
        poll_author=poll_author,
        selected_answers=selected_answers,
        recipient=recipient,
    )
    timestamp = _timestamp(poll_timestamp)
    if min(selected_answers) < 1:
        raise RequestError("Invalid index in selected_answers specified, index needs to be >= 1!")
    params = {
        **_target(recipient),
        "poll-author": person(poll_author),
        "poll-timestamp": timestamp,
        "option": [answer - 1 for answer in selected_answers],
        "vote-count": 1,
        "account": number,
    }
    return Call("sendPollVote", params)


def close_poll(number: str, recipient: str, poll_timestamp: str) -> Call:
    """Close a poll of the account's own. Raises `RequestError`."""
    _require(poll_timestamp=poll_timestamp, recipient=recipient)
    timestamp = _timestamp(poll_timestamp)
    params = {**_target(recipient), "poll-timestamp": timestamp, "account": number}
    return Call("sendPollTerminate", params)


def _require(**fields: object) -> None:
    """Raise for the first field that is empty."""
    for name, value in fields.items():
        if not value:
            raise RequestError(_MISSING.format(name))


def _timestamp(text: str) -> int:
    timestamp = int64(text)
    if timestamp is None:
        raise RequestError("Couldn't process request - invalid timestamp")
    return timestamp_ms("poll_timestamp", timestamp)


def _target(recipient: str) -> dict[str, str]:
    found = classify(recipient)
    return {found.kind.value: found.value}
