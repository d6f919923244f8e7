"""A client and its far end, on every kind of socket."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from signal_bridge.clock import Deadline
from signal_bridge.rpc.client import Client, connect
from tests.rpc.far_end import FarEnd
from tests.support.parts import part_missing

Make = Callable[..., tuple[Client, FarEnd]]


@pytest.fixture
def make_pair() -> Iterator[Make]:
    """Makes connected pairs: `client, far = make_pair()`. All are closed at the end."""
    made: list[tuple[Client, FarEnd]] = []

    def make(**options: object) -> tuple[Client, FarEnd]:
        near, far = socket.socketpair()
        made.append((Client(near, "test", **options), FarEnd(far)))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for client, far in made:
        far.hang_up()
        client.close()


@pytest.fixture
def pair(make_pair: Make) -> tuple[Client, FarEnd]:
    return make_pair()


@pytest.fixture(params=["unix", "tcp", "tcp over IPv6"])
def connected(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Client, FarEnd]]:
    """A pair over a real listening socket."""
    if request.param == "unix":
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(tmp_path / "s"))
        address = f"unix:{tmp_path / 's'}"
    else:
        host = "::1" if "6" in request.param else "127.0.0.1"
        family = socket.AF_INET6 if "6" in request.param else socket.AF_INET
        try:
            listening = socket.create_server((host, 0), family=family)
        except OSError:
            part_missing(f"this machine has no {host}")
        shown = f"[{host}]" if "6" in request.param else host
        address = f"tcp:{shown}:{listening.getsockname()[1]}"
    listening.listen()
    client = Client(connect(address, Deadline(10)), "test")
    far = FarEnd(listening.accept()[0])
    yield client, far
    far.hang_up()
    client.close()
    listening.close()
