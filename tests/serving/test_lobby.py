"""How much lies in memory of those that wait, and whose it is."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from selectors import DefaultSelector
from typing import Any

import pytest
from gunicorn.config import Config

from signal_bridge.serving.connection import Connection
from signal_bridge.serving.lobby import Lobby
from signal_bridge.serving.pace import ClientSocket, SlowReaders, Stopping

MIB = 2**20


@pytest.fixture
def poller() -> Iterator[DefaultSelector]:
    with DefaultSelector() as poller:
        yield poller


@pytest.fixture
def connections() -> Iterator[list[Connection]]:
    """Two of a, and one of b."""
    with contextlib.ExitStack() as stack:
        yield [connection(stack, owner) for owner in "aab"]


def connection(stack: contextlib.ExitStack, owner: str) -> Connection:
    client, accepted = socket.socketpair()
    stack.enter_context(client)
    sock = stack.enter_context(ClientSocket(accepted, SlowReaders(2), Stopping(), owner))
    return Connection(Config(), sock, ("127.0.0.1", 1), ("127.0.0.1", 2), owner)


@pytest.fixture
def lobby(connections: list[Connection], poller: Any) -> Lobby:
    lobby = Lobby(lambda _connection, _socket: None)
    for one in connections:
        lobby.wait(one, 10, poller)
    return lobby


def test_of_who_holds_the_most_memory_one_that_has_some_goes(
    lobby: Lobby, connections: list[Connection]
) -> None:
    _empty, mine, other = connections
    lobby.count(mine, 20 * MIB)
    lobby.count(other, 10 * MIB)
    assert not lobby.is_too_heavy()
    lobby.count(other, 19 * MIB)
    assert lobby.is_too_heavy()
    assert lobby.heaviest() == "a"
    assert lobby.heavy_of("a") is mine
    lobby.count(mine, 0)
    assert lobby.heaviest() == "b"
    assert lobby.heavy_of("a") is None


def test_what_lies_in_memory_goes_with_whom_a_connection_counts_as(
    lobby: Lobby, connections: list[Connection], poller: Any
) -> None:
    lobby.count(connections[0], 40 * MIB)
    lobby.call(connections[0], "c")
    assert lobby.heaviest() == "c"
    assert lobby.heavy_of("c") is connections[0]
    lobby.leave(connections[0], poller)
    assert lobby.is_too_heavy()
    assert lobby.heavy_of("c") is None  # its request waits for its turn
