"""One bridge per file of tests, on a daemon that each test scripts anew.

A file says with SETTINGS and ACCOUNTS how its bridge is run and which accounts the daemon has.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support import Bridge, ScriptedDaemon

ACCOUNT = "+4915112345"


@pytest.fixture(scope="module")
def shared_daemon(request: pytest.FixtureRequest) -> Iterator[ScriptedDaemon]:
    with ScriptedDaemon(accounts=getattr(request.module, "ACCOUNTS", [ACCOUNT])) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def served(request: pytest.FixtureRequest, shared_daemon: ScriptedDaemon) -> Iterator[Bridge]:
    settings: dict[str, Any] = {"MODE": "json-rpc", "BRIDGE_SIGNAL_CLI_RPC": shared_daemon.address}
    with Bridge(**(settings | getattr(request.module, "SETTINGS", {}))) as served:
        served.wait_ready()
        shared_daemon.wait_subscribed()
        yield served


@pytest.fixture
def daemon(shared_daemon: ScriptedDaemon) -> ScriptedDaemon:
    """The daemon of the file, with nothing recorded and nothing scripted."""
    shared_daemon.forget()
    return shared_daemon
