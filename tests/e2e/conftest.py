"""Fixtures: the worlds of a module, real and sandbox. Every log is kept in `.e2e/logs` on failure.

These tests are collected when they are named, `pytest tests/e2e`, and not with all the others:
they want packages of their own, which `make e2e` installs.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite(
    "tests.e2e.mock", "tests.e2e.real_world", "tests.e2e.sandbox_world", "tests.e2e.world"
)

from signal_bridge.sandbox.versions import VERSIONS  # noqa: E402
from tests.e2e import parts  # noqa: E402 - after the rewrite is asked for
from tests.e2e.real_world import RealWorld  # noqa: E402
from tests.e2e.sandbox_world import SandboxWorld  # noqa: E402
from tests.e2e.world import World  # noqa: E402
from tests.support.parts import part_missing  # noqa: E402

LOG_CHARACTERS = 20_000
_open: list[World] = []


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    return None if any("e2e" in argument for argument in config.args) else True


@pytest.fixture(scope="session")
def all_parts() -> None:
    """Everything is installed and compiled. In CI it must be possible."""
    try:
        parts.python_packages()
        parts.signal_cli()
        parts.node_modules()
        parts.agent()
    except parts.PartMissing as missing:
        part_missing(str(missing))


@pytest.fixture(scope="module")
def real(
    all_parts: None, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RealWorld]:
    """The real signal-cli, linked; a module may say `SETTINGS = {...}` for its bridge."""
    world = RealWorld(tmp_path_factory.mktemp("mock"), **getattr(request.module, "SETTINGS", {}))
    _open.append(world)
    try:
        world.link()
        yield world
    finally:
        _keep_logs(world, request)
        _open.remove(world)
        world.close()


@pytest.fixture(scope="module", params=["real", *VERSIONS])
def world(all_parts: None, request: pytest.FixtureRequest) -> Iterator[World]:
    """The real one, and the sandbox as each signal-cli that it can be: one scenario for all."""
    if request.param == "real":
        yield request.getfixturevalue("real")
        return
    world = SandboxWorld(request.param, **getattr(request.module, "SETTINGS", {}))
    _open.append(world)
    yield world
    _open.remove(world)
    world.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        item.session.stash[_failed] = True
        for world in _open:
            for name, log in world.logs.items():
                report.sections.append((f"log of the {name}", log[-LOG_CHARACTERS:]))
    return report


_failed = pytest.StashKey[bool]()


def _keep_logs(world: World, request: pytest.FixtureRequest) -> None:
    if request.session.stash.get(_failed, False):
        kept = parts.CACHE / "logs" / request.module.__name__.rpartition(".")[2]
        kept.mkdir(parents=True, exist_ok=True)
        for name, log in world.logs.items():
            (kept / f"{name}.log").write_text(log)
