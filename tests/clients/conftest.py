"""The bridges that all clients share. Each test looks only at what it sent itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import Bridge, ScriptedDaemon

ACCOUNT, OTHER = "+4915112345", "+4915167890"


@pytest.fixture(scope="package")
def bridge() -> Iterator[Bridge]:
    """On the sandbox, which shows itself as json-rpc."""
    with Bridge(MODE="sandbox") as bridge:
        yield bridge.wait_ready()


@pytest.fixture(scope="package")
def shared_daemon() -> Iterator[ScriptedDaemon]:
    with ScriptedDaemon(accounts=[ACCOUNT, OTHER]) as daemon:
        yield daemon


@pytest.fixture(scope="package")
def plain(shared_daemon: ScriptedDaemon) -> Iterator[Bridge]:
    """In normal mode, on a daemon that a test can script."""
    with Bridge(MODE="normal", BRIDGE_SIGNAL_CLI_RPC=shared_daemon.address) as bridge:
        bridge.wait_ready()
        shared_daemon.wait_subscribed()
        yield bridge


@pytest.fixture(scope="package")
def older(shared_daemon: ScriptedDaemon) -> Iterator[Bridge]:
    """Like signal-cli-rest-api 0.100, on the same daemon."""
    address = shared_daemon.address
    settings = {"MODE": "json-rpc", "BRIDGE_COMPAT": "0.100", "BRIDGE_SIGNAL_CLI_RPC": address}
    with Bridge(**settings) as older:
        yield older.wait_ready()


@pytest.fixture
def scripted(shared_daemon: ScriptedDaemon) -> ScriptedDaemon:
    """The daemon of `plain` and `older`, with nothing scripted and nothing recorded."""
    shared_daemon.forget()
    return shared_daemon
