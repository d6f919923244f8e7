"""Sends that name no account, with one account and with several; and searches, asked by any."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import Bridge, ScriptedDaemon
from tests.support.scripted_daemon import error, result
from tests.support.waiting import eventually

MESSAGE = {"message": "hi", "recipients": ["+493"]}
NO_NUMBER = "Couldn't process request - please provide a valid number"


class Stage:
    """A bridge and its daemon, whose accounts are known when a test begins."""

    def __init__(self, bridge: Bridge, daemon: ScriptedDaemon) -> None:
        self.bridge = bridge
        self.daemon = daemon

    def has(self, *accounts: str) -> None:
        self.daemon.accounts[:] = accounts
        eventually(lambda: self._linked() == set(accounts), 20)
        self.daemon.forget()
        self.daemon.on("send", result({"timestamp": 7}))

    def _linked(self) -> set[str]:
        states = self.bridge.get("/readyz").json().get("accounts", {})
        return {number for number, state in states.items() if state == "linked"}


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with (
        ScriptedDaemon(accounts=["+491"]) as daemon,
        Bridge(MODE="json-rpc", BRIDGE_SIGNAL_CLI_RPC=daemon.address) as bridge,
    ):
        bridge.wait_ready()
        yield Stage(bridge, daemon)


@pytest.mark.parametrize("number", [{}, {"number": ""}, {"number": None}])
@pytest.mark.parametrize("path", ["/v1/send", "/v2/send"])
def test_the_only_account_sends(path: str, number: dict[str, str | None], stage: Stage) -> None:
    stage.has("+491")
    assert stage.bridge.post(path, json=MESSAGE | number).status_code == 201
    (request,) = stage.daemon.asked("send")
    assert request.params["account"] == "+491"


def test_a_form_may_name_none_as_well(stage: Stage) -> None:
    stage.has("+491")
    form = {"message": "hi", "recipients[]": "+493"}
    files = {"attachment": ("a.txt", b"text")}
    assert stage.bridge.post("/v2/send", data=form, files=files).status_code == 201
    assert stage.daemon.asked("send")[0].params["account"] == "+491"


def test_whoever_names_an_account_gets_it(stage: Stage) -> None:
    stage.has("+491")
    assert stage.bridge.post("/v2/send", json=MESSAGE | {"number": "+492"}).status_code == 201
    assert stage.daemon.asked("send")[0].params["account"] == "+492"


def test_a_message_to_nobody_needs_no_account(stage: Stage) -> None:
    stage.has("+491")
    answer = stage.bridge.post("/v2/send", json={"message": "hi"})
    assert "at least one recipient" in answer.json()["error"]


def test_any_account_searches(stage: Stage) -> None:
    stage.has("+491")
    stage.daemon.on("getUserStatus", result([{"recipient": "+493", "isRegistered": True}]))
    answer = stage.bridge.get("/v1/search", params={"numbers": ["+493", "+494"]})
    assert answer.json() == [{"number": "+493", "registered": True}]
    (request,) = stage.daemon.asked("getUserStatus")
    assert request.params == {"recipient": ["+493", "+494"], "account": "+491"}


def test_a_search_may_name_its_account_in_the_query(stage: Stage) -> None:
    stage.has("+491")
    stage.daemon.on("getUserStatus", result([]))
    answer = stage.bridge.get("/v1/search", params={"number": "+492", "numbers": ["+493"]})
    assert (answer.status_code, answer.json()) == (200, [])
    assert stage.daemon.asked("getUserStatus")[0].params["account"] == "+492"


def test_of_several_accounts_none_is_the_default(stage: Stage) -> None:
    stage.has("+491", "+492")
    answer = stage.bridge.post("/v2/send", json=MESSAGE)
    assert (answer.status_code, answer.json()["error"]) == (400, NO_NUMBER)
    assert not stage.daemon.asked("send")


def test_without_any_account_signal_cli_decides() -> None:
    with (
        ScriptedDaemon() as daemon,
        Bridge(MODE="json-rpc", BRIDGE_SIGNAL_CLI_RPC=daemon.address) as bridge,
    ):
        bridge.wait_ready()
        daemon.on("getUserStatus", error(-32602, "Method requires valid account parameter"))
        answer = bridge.get("/v1/search", params={"numbers": "+493"})
        assert answer.status_code == 400
        assert daemon.asked("getUserStatus")[0].params == {"recipient": ["+493"]}
