"""Polls: asked, answered and closed. signal-cli has them since 0.13.23 (signal-cli.rst 2.5)."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Final

from signal_bridge.sandbox import envelopes, errors
from signal_bridge.sandbox.call import Call, Handler
from signal_bridge.sandbox.sending import new_message, read_targets
from signal_bridge.sandbox.sending import send as send_to

Sent = Awaitable[dict[str, Any]]


def send_poll_create(call: Call) -> Sent:
    """`sendPollCreate`: a question with 2 to 10 options of at most 100 characters each."""
    params = call.params
    targets = read_targets(call)
    options = params.texts("option")
    _check_options(options)
    poll = {
        "question": params.text("question"),
        "allowMultiple": not params.flag("noMulti"),
        "options": options,
    }
    return send_to(call, targets, new_message(call, pollCreate=poll))


def send_poll_vote(call: Call) -> Sent:
    """`sendPollVote`: `option` counts from 0; `voteCount` grows with each change of mind."""
    params = call.params
    targets = read_targets(call)
    author = call.network.people.find(params.needed_text("pollAuthor")).need_person()
    vote = {
        **envelopes.target("author", author),
        "targetSentTimestamp": params.needed_timestamp("pollTimestamp"),
        "optionIndexes": params.integers("option"),
        "voteCount": params.needed_integer("voteCount"),
    }
    return send_to(call, targets, new_message(call, pollVote=vote))


def send_poll_terminate(call: Call) -> Sent:
    """`sendPollTerminate`: the poll of `pollTimestamp` takes no more votes."""
    targets = read_targets(call)
    ended = {"targetSentTimestamp": call.params.needed_timestamp("pollTimestamp")}
    return send_to(call, targets, new_message(call, pollTerminate=ended))


METHODS: Final[dict[str, Handler]] = {
    "sendPollCreate": send_poll_create,
    "sendPollVote": send_poll_vote,
    "sendPollTerminate": send_poll_terminate,
}


def _check_options(options: list[str]) -> None:
    if len(options) < 2:
        raise errors.user_error("Poll needs at least two options")
    if len(options) > 10:
        raise errors.user_error("Poll cannot have more than 10 options")
    if not all(options):
        raise errors.user_error("Poll options must not be empty")
    long = next((each for each in options if len(each) > 100), None)
    if long:
        text = f'Poll option "{long}" exceeds the maximum length of 100 characters'
        raise errors.user_error(text)
