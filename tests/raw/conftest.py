"""One bridge in MODE=json-rpc on a scripted daemon, and one on the sandbox, for all tests here."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.support import Bridge, ScriptedDaemon
from tests.support.scripted_daemon import text_envelope

ACCOUNT = "+4915112345"
SENDER = "+4917000001"
_timestamps = itertools.count(1_700_000_000_000)


class Dialect:
    """signal-cli's HTTP dialect as a client of it speaks it."""

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge

    def post(self, body: Any, content_type: str | None = "application/json") -> requests.Response:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": content_type} if content_type else {}
        return self.bridge.post("/api/v1/rpc", data=data, headers=headers)

    def call(self, method: str, request_id: Any = "1", **params: Any) -> Any:
        """The reply to one request that must get one."""
        answer = self.post(request(method, request_id, **params))
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"] == "application/json"
        return answer.json()


def request(method: str, request_id: Any, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": method, "params": params, "id": request_id}


def arrive(daemon: ScriptedDaemon, account: str, *texts: str) -> None:
    """Messages arrive, all in one write."""
    daemon.notify(account, *(text_envelope(SENDER, text, next(_timestamps)) for text in texts))


@pytest.fixture(scope="package")
def shared_daemon() -> Iterator[ScriptedDaemon]:
    with ScriptedDaemon(accounts=[ACCOUNT, "+4915167890"]) as daemon:
        yield daemon


@pytest.fixture(scope="package")
def dialect(shared_daemon: ScriptedDaemon) -> Iterator[Dialect]:
    with Bridge(MODE="json-rpc", BRIDGE_SIGNAL_CLI_RPC=shared_daemon.address) as bridge:
        bridge.wait_ready()
        shared_daemon.wait_subscribed()
        yield Dialect(bridge)


@pytest.fixture
def daemon(shared_daemon: ScriptedDaemon) -> ScriptedDaemon:
    """With nothing scripted and nothing recorded."""
    shared_daemon.forget()
    return shared_daemon


@pytest.fixture(scope="package")
def sandboxed() -> Iterator[Dialect]:
    with Bridge(MODE="sandbox") as bridge:
        yield Dialect(bridge.wait_ready())
