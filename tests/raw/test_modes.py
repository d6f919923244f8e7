"""Where the dialect is spoken, and linking and sending in it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.raw.conftest import Dialect
from tests.support import Bridge, ScriptedDaemon

PATHS = (("GET", "/api/v1/check"), ("POST", "/api/v1/rpc"), ("GET", "/api/v1/events"))
ANN, BOB = "+12025550100", "+12025550101"


@pytest.mark.parametrize("fixture", ["dialect", "sandboxed"])
def test_a_check_is_200_and_empty(fixture: str, request: pytest.FixtureRequest) -> None:
    answer = request.getfixturevalue(fixture).bridge.get("/api/v1/check")
    assert (answer.status_code, answer.content) == (200, b"")


def test_in_the_other_modes_there_is_no_such_route(
    start_bridge: Callable[..., Bridge], daemon: ScriptedDaemon
) -> None:
    bridge = start_bridge(MODE="native", BRIDGE_SIGNAL_CLI_RPC=daemon.address)
    unknown = bridge.get("/api/v1/nothing")
    assert unknown.status_code == 404
    for method in ("GET", "POST", "PUT", "OPTIONS"):
        for _, path in PATHS:
            answer = bridge.request(method, path)
            assert (answer.status_code, answer.content) == (404, unknown.content)


def test_a_message_is_sent_in_the_sandbox(sandboxed: Dialect) -> None:
    reply = sandboxed.call("send", account=ANN, recipient=[BOB], message="raw")
    (outcome,) = reply["result"]["results"]
    assert outcome["type"] == "SUCCESS"


def test_a_device_is_linked_by_the_dialect_too(sandboxed: Dialect) -> None:
    uri = sandboxed.call("startLink")["result"]["deviceLinkUri"]
    reply = sandboxed.call("finishLink", deviceLinkUri=uri, deviceName="raw")
    accounts = sandboxed.call("listAccounts")["result"]
    assert reply["result"]["number"] in [account["number"] for account in accounts]
