"""A daemon that somebody has started for one account (`-a`): it lists none, and has one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.journeys.reading import texts_until
from tests.support import Bridge, ScriptedDaemon, eventually
from tests.support.scripted_daemon import error, result, text_envelope

ACCOUNT, OTHER = "+4915112345", "+4917000001"
NO_METHOD = -32601


@pytest.fixture(scope="module")
def daemon() -> Iterator[ScriptedDaemon]:
    with ScriptedDaemon(accounts=[ACCOUNT]) as daemon:
        refuse_lists(daemon)
        yield daemon


@pytest.fixture(scope="module")
def served(daemon: ScriptedDaemon) -> Iterator[Bridge]:
    with Bridge(
        MODE="json-rpc", BRIDGE_SIGNAL_CLI_RPC=daemon.address, DEFAULT_ACCOUNT=ACCOUNT
    ) as served:
        served.wait_ready()
        daemon.wait_subscribed()
        yield served


def refuse_lists(daemon: ScriptedDaemon) -> None:
    for method in ("listAccounts", "startLink", "finishLink", "register"):
        daemon.on(method, error(NO_METHOD, "Method not implemented"))


def test_it_sends_and_receives(served: Bridge, daemon: ScriptedDaemon) -> None:
    daemon.on("send", result({"timestamp": 7}))
    for number in ({"number": ACCOUNT}, {}):
        body = {"recipients": [OTHER], "message": "hi", **number}
        assert served.post("/v2/send", json=body).status_code == 201
    daemon.notify(ACCOUNT, text_envelope(OTHER, "hello", 1_700_000_000_000))
    assert texts_until(served, ACCOUNT, 1) == ["hello"]


def test_the_account_that_was_set_is_the_one_there_is(served: Bridge) -> None:
    answer = served.get("/v1/accounts")
    assert (answer.status_code, answer.json()) == (200, [ACCOUNT])


def test_its_events_are_streamed(served: Bridge) -> None:
    path = "/api/v1/events?account=%2B4915112345"
    with served.get(path, stream=True) as answer:
        assert answer.status_code == 200


def test_without_that_setting_the_refusal_is_shown_until_a_message_names_it(
    daemon: ScriptedDaemon,
) -> None:
    with Bridge(MODE="json-rpc", BRIDGE_SIGNAL_CLI_RPC=daemon.address) as bridge:
        bridge.wait_ready()
        answer = bridge.get("/v1/accounts")
        assert answer.status_code == 500
        assert "does not have listAccounts" in answer.json()["error"]
        daemon.wait_subscribed()
        daemon.notify(ACCOUNT, text_envelope(OTHER, "who are you?", 1_700_000_000_001))
        eventually(lambda: bridge.get("/v1/accounts").status_code == 200, 20, what="the account")
        assert bridge.get("/v1/accounts").json() == [ACCOUNT]
        daemon.on("send", result({"timestamp": 7}))
        body = {"recipients": [OTHER], "message": "it is me"}
        assert bridge.post("/v2/send", json=body).status_code == 201
        assert daemon.asked("send")[-1].params["account"] == ACCOUNT
