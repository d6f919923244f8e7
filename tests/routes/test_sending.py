"""Sends that reach nobody: whom, and why, is in the answer."""

from __future__ import annotations

from typing import Any

import pytest

from tests.routes.conftest import ACCOUNT
from tests.support import Bridge, ScriptedDaemon
from tests.support.scripted_daemon import error

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
