"""Sends that name no account, with one account and with several; and searches, asked by any."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import Bridge, ScriptedDaemon
from tests.support.scripted_daemon import error, result

ACCOUNTS = ["+491", "+492"]
MESSAGE = {"message": "hi", "recipients": ["+493"]}
NO_NUMBER = "Couldn't process request - please provide a valid number"


@pytest.fixture
def only_one(daemon: ScriptedDaemon) -> Iterator[ScriptedDaemon]:
    daemon.on("listAccounts", result([{"number": "+491"}]))
    daemon.on("send", result({"timestamp": 7}))
    return daemon


@pytest.mark.parametrize("number", [{}, {"number": ""}, {"number": None}])
@pytest.mark.parametrize("path", ["/v1/send", "/v2/send"])
def test_the_only_account_sends(
    path: str, number: dict[str, str | None], served: Bridge, only_one: ScriptedDaemon
) -> None:
    assert served.post(path, json=MESSAGE | number).status_code == 201
    (request,) = only_one.asked("send")
    assert request.params["account"] == "+491"


def test_a_form_may_name_none_as_well(served: Bridge, only_one: ScriptedDaemon) -> None:
    form = {"message": "hi", "recipients[]": "+493"}
    files = {"attachment": ("a.txt", b"text")}
    assert served.post("/v2/send", data=form, files=files).status_code == 201
    assert only_one.asked("send")[0].params["account"] == "+491"


def test_of_several_accounts_none_is_the_default(served: Bridge, daemon: ScriptedDaemon) -> None:
    answer = served.post("/v2/send", json=MESSAGE)
    assert (answer.status_code, answer.json()["error"]) == (400, NO_NUMBER)
    assert not daemon.asked("send")


def test_when_signal_cli_will_not_say_there_is_none(served: Bridge, daemon: ScriptedDaemon) -> None:
    daemon.on("listAccounts", error(-32603, "boom"))
    answer = served.post("/v2/send", json=MESSAGE)
    assert (answer.status_code, answer.json()["error"]) == (400, NO_NUMBER)


def test_whoever_names_an_account_is_not_asked_about(
    served: Bridge, only_one: ScriptedDaemon
) -> None:
    assert served.post("/v2/send", json=MESSAGE | {"number": "+492"}).status_code == 201
    assert only_one.asked("send")[0].params["account"] == "+492"
    assert not [
        asked for asked in only_one.asked("listAccounts") if not asked.connection.subscribed
    ]


def test_a_message_to_nobody_needs_no_account(served: Bridge, daemon: ScriptedDaemon) -> None:
    answer = served.post("/v2/send", json={"message": "hi"})
    assert "at least one recipient" in answer.json()["error"]
    assert not [asked for asked in daemon.asked("listAccounts") if not asked.connection.subscribed]


def test_any_account_searches(served: Bridge, daemon: ScriptedDaemon) -> None:
    daemon.on("getUserStatus", result([{"recipient": "+493", "isRegistered": True}]))
    answer = served.get("/v1/search", params={"numbers": ["+493", "+494"]})
    assert answer.json() == [{"number": "+493", "registered": True}]
    (request,) = daemon.asked("getUserStatus")
    assert request.params == {"recipient": ["+493", "+494"], "account": "+491"}


def test_a_search_may_name_its_account_in_the_query(served: Bridge, daemon: ScriptedDaemon) -> None:
    daemon.on("getUserStatus", result([]))
    answer = served.get("/v1/search", params={"number": "+492", "numbers": ["+493"]})
    assert (answer.status_code, answer.json()) == (200, [])
    assert daemon.asked("getUserStatus")[0].params["account"] == "+492"


def test_without_any_account_signal_cli_decides(served: Bridge, daemon: ScriptedDaemon) -> None:
    daemon.on("listAccounts", result([]))
    daemon.on("getUserStatus", error(-32602, "Method requires valid account parameter"))
    answer = served.get("/v1/search", params={"numbers": "+493"})
    assert answer.status_code == 400
    assert daemon.asked("getUserStatus")[0].params == {"recipient": ["+493"]}
