"""A number that is not registered, and one that could only not be looked up."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import Bridge, ScriptedDaemon
from tests.support.scripted_daemon import error, result

NUMBER = "+4915112345"
BODY = {"number": NUMBER, "recipients": ["+493"], "message": "hi"}


def unregistered(uuid: str | None) -> dict[str, Any]:
    address = {"uuid": uuid, "number": "+493", "username": None}
    entry = {"recipientAddress": address, "type": "UNREGISTERED_FAILURE"}
    return {"response": {"timestamp": 7, "results": [entry]}}


@pytest.mark.parametrize(
    ("lookup", "code", "retryable"),
    [
        (result([{"recipient": "+493", "isRegistered": False}]), "unregistered_recipient", False),
        (error(-3, "Unable to check if users are registered: Write failed!"),
         "signal_unreachable", True),
        (error(-1, "something else"), "unregistered_recipient", False),
    ],
)  # fmt: skip
def test_a_number_without_a_uuid_is_looked_up_before_it_is_called_unregistered(
    served: Bridge, daemon: ScriptedDaemon, lookup: Any, code: str, retryable: bool
) -> None:
    daemon.on("send", error(-1, "Failed to send message", unregistered(None)))
    daemon.on("getUserStatus", lookup)
    answer = served.post("/v2/send", json=BODY)
    assert answer.status_code == 400
    told = answer.json()
    assert (told["code"], told["retryable"]) == (code, retryable)
    assert told["errors"]["recipients"][0]["reason"] == "UNREGISTERED_FAILURE"
    (request,) = daemon.asked("getUserStatus")
    assert request.params == {"recipient": ["+493"], "account": NUMBER}


def test_a_uuid_leaves_no_doubt(served: Bridge, daemon: ScriptedDaemon) -> None:
    daemon.on("send", error(-1, "Failed to send message", unregistered("u3")))
    assert served.post("/v2/send", json=BODY).json()["code"] == "unregistered_recipient"
    assert not daemon.asked("getUserStatus")
