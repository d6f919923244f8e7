"""A daemon that follows a script, reached as ours or as somebody else's."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from signal_bridge.session.gateway import Gateway
from signal_bridge.settings import Settings, read_settings
from signal_bridge.store.status import Status
from tests.support import ScriptedDaemon

ACCOUNT = "+4915112345"
MakeGateway = Callable[..., Gateway]


class Board:
    """The status board of a daemon process that says what the test says."""

    def __init__(self) -> None:
        self.said: dict[str, Status] = {}

    def all(self) -> dict[str, Status]:
        return self.said


@pytest.fixture
def board() -> Board:
    return Board()


@pytest.fixture
def runtime_dir() -> Iterator[Path]:
    """A short path: a UNIX socket's is limited to 107 bytes."""
    made = Path(tempfile.mkdtemp(prefix="sb-"))
    yield made
    shutil.rmtree(made)


@pytest.fixture
def settings(runtime_dir: Path) -> Settings:
    """Of a bridge whose daemon is its own, on a UNIX socket."""
    return settings_with(runtime_dir)


def settings_with(runtime_dir: Path, **environ: str) -> Settings:
    return read_settings(
        {
            "SIGNAL_CLI_CONFIG_DIR": str(runtime_dir),
            "BRIDGE_RUNTIME_DIR": str(runtime_dir),
            "BRIDGE_START_WAIT_SECONDS": "60",
            **environ,
        }
    )


@pytest.fixture
def own(settings: Settings) -> Iterator[ScriptedDaemon]:
    """A daemon of ours, not started yet."""
    daemon = ScriptedDaemon(accounts=[ACCOUNT], unix_path=settings.socket_path)
    yield daemon
    daemon.stop()


@pytest.fixture
def make_gateway(runtime_dir: Path, board: Board) -> Iterator[MakeGateway]:
    """Makes gateways: `make_gateway(BRIDGE_START_WAIT_SECONDS="1")`. All are closed."""
    made: list[Gateway] = []

    def make(**environ: str) -> Gateway:
        made.append(Gateway(settings_with(runtime_dir, **environ), board))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for gateway in made:
        gateway.close()


@pytest.fixture
def gateway(make_gateway: MakeGateway) -> Gateway:
    """To a daemon of ours."""
    return make_gateway()
