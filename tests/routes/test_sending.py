"""Sends that reach nobody: whom, and why, is in the answer."""

from __future__ import annotations

from typing import Any

import pytest

from tests.routes.conftest import ACCOUNT
from tests.support import Bridge, ScriptedDaemon
from tests.support.scripted_daemon import error, result

MESSAGE = {"message": "hi", "number": ACCOUNT, "recipients": ["+491"]}


def response(*outcomes: dict[str, Any]) -> dict[str, Any]:
    return {"response": {"timestamp": 7, "results": list(outcomes)}}


def outcome(kind: str, **more: Any) -> dict[str, Any]:
    return {"recipientAddress": {"number": "+491", "uuid": None}, "type": kind, **more}


@pytest.mark.parametrize("kind", ["UNREGISTERED_FAILURE", "NETWORK_FAILURE"])
def test_each_recipient_has_its_reason(kind: str, served: Bridge, daemon: ScriptedDaemon) -> None:
    daemon.on("send", error(-1, "Failed to send message", response(outcome(kind))))
    answer = served.post("/v2/send", json=MESSAGE)
    assert (answer.status_code, answer.json()["error"]) == (400, "Failed to send message")
    assert answer.json()["errors"] == {"recipients": [{"number": "+491", "reason": kind}]}


def test_a_rate_limit_says_whom_until_when_and_how(served: Bridge, daemon: ScriptedDaemon) -> None:
    limited = outcome("RATE_LIMIT_FAILURE", token="tok", retryAfterSeconds=60)
    daemon.on("send", error(-5, "Failed", response(limited)))
    answer = served.post("/v2/send", json=MESSAGE)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "60")
    assert answer.json()["challenge_tokens"] == ["tok"]
    assert answer.json()["account"] == ACCOUNT
    assert answer.json()["errors"]["recipients"][0]["reason"] == "RATE_LIMIT_FAILURE"


@pytest.mark.parametrize("data", [None, "x", {"response": 5}, response({"type": 5}), response()])
def test_a_refusal_without_reasons_is_one_still(
    data: Any, served: Bridge, daemon: ScriptedDaemon
) -> None:
    daemon.on("send", error(-1, "Failed to send message", data))
    answer = served.post("/v2/send", json=MESSAGE)
    assert (answer.status_code, answer.json()["error"]) == (400, "Failed to send message")
    assert "errors" not in answer.json()


def sent(daemon: ScriptedDaemon) -> dict[str, Any]:
    """What `send` was told, less what every message has, and where its files were."""
    (request,) = daemon.asked("send")
    usual = ("message", "account", "recipient", "notify-self", "attachment")
    return {name: value for name, value in request.params.items() if name not in usual}


BEYOND = {"no-urgent": True, "voice-note": True, "view-once": True, "text-style": ["0:1:BOLD"]}
STORY = {"story-timestamp": 1700000000123, "story-author": "+492"}


def test_what_signal_cli_knows_of_a_message_is_said_in_json(
    served: Bridge, daemon: ScriptedDaemon
) -> None:
    daemon.on("send", result({"timestamp": 7, "results": []}))
    body = MESSAGE | {
        "base64_attachments": ["AAAA"],
        "no_urgent": True,
        "voice_note": True,
        "view_once": True,
        "text_styles": ["0:1:BOLD"],
        "story_timestamp": 1700000000123,
        "story_author": "+492",
    }
    assert served.post("/v2/send", json=body).status_code == 201
    assert sent(daemon) == BEYOND | STORY


def test_what_signal_cli_knows_of_a_message_is_said_in_a_form(
    served: Bridge, daemon: ScriptedDaemon
) -> None:
    daemon.on("send", result({"timestamp": 7, "results": []}))
    form = {
        "number": ACCOUNT,
        "recipients[]": "+491",
        "message": "hi",
        "no_urgent": "true",
        "voice_note": "true",
        "view_once": "true",
        "text_styles[]": "0:1:BOLD",
        "story_timestamp": "1700000000123",
        "story_author": "+492",
    }
    answer = served.post("/v2/send", data=form, files={"attachment": ("a.ogg", b"OggS\0")})
    assert answer.status_code == 201
    assert sent(daemon) == BEYOND | STORY


def test_what_is_false_is_not_said(served: Bridge, daemon: ScriptedDaemon) -> None:
    daemon.on("send", result({"timestamp": 7, "results": []}))
    off = dict.fromkeys(("no_urgent", "voice_note", "view_once"), False)
    assert served.post("/v2/send", json=MESSAGE | off).status_code == 201
    assert sent(daemon) == {}
