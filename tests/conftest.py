"""Fixtures for every test. What they are made of stands in tests/support/."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.support")

from tests.support import Bridge, ScriptedDaemon  # noqa: E402 - after the rewrite is asked for
from tests.support.parts import part_missing  # noqa: E402

ROOT = Path(__file__).parent.parent
ACCOUNT = "+4915112345"
LOG_CHARACTERS = 20_000


@pytest.fixture
def start_bridge() -> Iterator[Callable[..., Bridge]]:
    """Starts bridges: `start_bridge(MODE="sandbox")`. Each is open; at the end none is left."""
    bridges: list[Bridge] = []

    def start(*command: str, **settings: object) -> Bridge:
        bridges.append(Bridge(*command, **settings))
        return bridges[-1].start().wait_open()

    yield start
    for bridge in bridges:
        bridge.close()


@pytest.fixture
def sandbox(start_bridge: Callable[..., Bridge]) -> Bridge:
    """A bridge on the sandbox, ready."""
    return start_bridge(MODE="sandbox").wait_ready()


@pytest.fixture
def daemon() -> Iterator[ScriptedDaemon]:
    """A daemon with one account, on TCP, for a test to script."""
    with ScriptedDaemon(accounts=[ACCOUNT]) as daemon:
        yield daemon


@pytest.fixture
def bridge(start_bridge: Callable[..., Bridge], daemon: ScriptedDaemon) -> Bridge:
    """A bridge on the scripted `daemon`, ready and receiving."""
    bridge = start_bridge(MODE="json-rpc", BRIDGE_SIGNAL_CLI_RPC=daemon.address).wait_ready()
    daemon.wait_subscribed()
    return bridge


@pytest.fixture
def signal_cli() -> Path:
    """The real signal-cli, for tests marked `live`. In CI it must be there."""
    found = Path(os.environ.get("BRIDGE_SIGNAL_CLI") or ROOT / ".signal-cli/bin/signal-cli")
    if not found.is_file():
        part_missing(f"there is no {found}: make signal-cli")
    return found


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the bridges printed when a test fails."""
    report = yield
    if report.failed:
        for bridge in Bridge.running:
            report.sections.append((f"log of {bridge.url}", bridge.log[-LOG_CHARACTERS:]))
    return report
