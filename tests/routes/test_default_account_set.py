"""DEFAULT_ACCOUNT: who sends and searches when a request does not say."""

from __future__ import annotations

import pytest

from tests.support import Bridge, ScriptedDaemon
from tests.support.scripted_daemon import result

ACCOUNTS = ["+491", "+492"]
SETTINGS = {"DEFAULT_ACCOUNT": "00 49-2"}


@pytest.mark.parametrize("path", ["/v1/send", "/v2/send"])
def test_it_sends(path: str, served: Bridge, daemon: ScriptedDaemon) -> None:
    daemon.on("send", result({"timestamp": 7}))
    assert served.post(path, json={"message": "hi", "recipients": ["+493"]}).status_code == 201
    (request,) = daemon.asked("send")
    assert request.params["account"] == "+492"


def test_the_account_of_a_request_comes_first(served: Bridge, daemon: ScriptedDaemon) -> None:
    daemon.on("send", result({"timestamp": 7}))
    body = {"message": "hi", "recipients": ["+493"], "number": "+491"}
    assert served.post("/v2/send", json=body).status_code == 201
    assert daemon.asked("send")[0].params["account"] == "+491"


def test_it_searches(served: Bridge, daemon: ScriptedDaemon) -> None:
    daemon.on("getUserStatus", result([]))
    assert served.get("/v1/search", params={"numbers": "+493"}).status_code == 200
    assert daemon.asked("getUserStatus")[0].params["account"] == "+492"
