"""Polls (rest-surface.rst 5.6). A poll's timestamp (ms) is a text, in requests and answers."""

from __future__ import annotations

from flask import jsonify
from flask.typing import ResponseReturnValue

from signal_bridge.signalcli import polls, results
from signal_bridge.web.edge.inputs import read_body, required_number
from signal_bridge.web.routes.outcomes import run_for_each
from signal_bridge.web.schemas.polls import CLOSE_POLL, NEW_POLL, VOTE


def create(number: str) -> ResponseReturnValue:
    """Ask `recipient` a `question` with a choice of `answers`. 201.

    `recipient` is a number, a UUID, a username or a group; `allow_multiple_selections` is true
    unless said otherwise. Answers `{"timestamp": "1700000000123"}`, by which the poll is known. 400
    when something is missing.
    """
    body = read_body(NEW_POLL)
    number = required_number(number)
    result = run_for_each(polls.create_poll(number, **body))
    return jsonify(results.timestamp(result)), 201


def vote(number: str) -> ResponseReturnValue:
    """Vote in the poll that `poll_author` made at `poll_timestamp` in the chat of `recipient`. 204.

    `selected_answers` are the numbers of the answers, counted from 1. 400 when something is
    missing or impossible.
    """
    body = read_body(VOTE)
    number = required_number(number)
    run_for_each(polls.vote(number, **body))
    return "", 204


def close(number: str) -> ResponseReturnValue:
    """Close the account's own poll of `poll_timestamp` in the chat with `recipient`. 204.

    400 when something is missing or impossible.
    """
    body = read_body(CLOSE_POLL)
    number = required_number(number)
    run_for_each(polls.close_poll(number, **body))
    return "", 204
