"""Fixtures for every test. What they are made of stands in tests/support/."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.support")

# ruff: noqa: E402 - after the rewrite is asked for
from signal_bridge.store.engine import Store
from signal_bridge.store.migrations import migrate
from tests.support import Bridge, ScriptedDaemon, postgres
from tests.support.databases import KINDS, POSTGRESQL, SQLITE, Database
from tests.support.parts import part_missing

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


# -- databases -------------------------------------------------------------------------------------
#
# A test that asks for `database`, `database_url` or `store` runs on SQLite and on PostgreSQL. One
# that is about SQLite alone asks for `sqlite_url`.


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> postgres.Server:
    """The PostgreSQL server of this test session, on a UNIX socket."""
    directory, session_pid = tmp_path_factory.getbasetemp(), os.getpid()
    if "PYTEST_XDIST_WORKER" in os.environ:  # one of several processes; the first started them
        directory, session_pid = directory.parent, os.getppid()
    return postgres.shared_server(directory, session_pid)


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """A database without a row. It may have the tables already: migrating it is quick."""
    with _database(request, postgres.TABLES) as database:
        yield database


@pytest.fixture(params=KINDS)
def empty_database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """A database without a table."""
    with _database(request, postgres.EMPTY) as database:
        yield database


@pytest.fixture(params=KINDS, scope="module")
def module_database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """A `database` for all tests of a module."""
    with _database(request, postgres.TABLES) as database:
        yield database


@contextlib.contextmanager
def _database(request: pytest.FixtureRequest, template: str) -> Iterator[Database]:
    if request.param == SQLITE:
        directory = request.getfixturevalue("tmp_path_factory").mktemp("database")
        yield Database(SQLITE, f"sqlite:///{directory}/bridge.db")
        return
    server = request.getfixturevalue("postgres_server")
    with server.database(template) as name:
        url = server.url(name)
        yield Database(POSTGRESQL, url, {"BRIDGE_DATABASE_URL": url})


@pytest.fixture
def database_url(database: Database) -> str:
    return database.url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/bridge.db"


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """A store with every table and no row."""
    store = Store(database_url)
    migrate(store)
    yield store
    store.close()


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
