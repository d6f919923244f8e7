"""How long a client is waited for, and who makes way. No clock is looked at: waits are told."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from signal_bridge.serving.pace import ClientSocket, Patience, SlowReaders, Stopping, TooSlow

Pair = tuple[ClientSocket, socket.socket]


@pytest.fixture
def readers() -> SlowReaders:
    return SlowReaders(2)


@pytest.fixture
def pair(readers: SlowReaders) -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    theirs.settimeout(10)
    client = ClientSocket(ours, readers, Stopping(), "a")
    yield client, theirs
    client.close()
    theirs.close()


def slow_reader(readers: SlowReaders, owner: str, moved_bytes: int) -> ClientSocket:
    reader = ClientSocket(socket.socket(), readers, Stopping(), owner)
    reader.writing_patience.wait(5)
    reader.writing_patience.move(moved_bytes)
    return reader


def test_waiting_uses_patience_up_and_what_moves_gives_some_back() -> None:
    patience = Patience()
    patience.move(2**20)  # into buffers
    assert patience.left_seconds() == 15
    patience.wait(10)
    patience.move(2048)
    assert patience.left_seconds() == 7
    patience.move(10 * 2**20)
    assert patience.left_seconds() == 30
    patience.wait(31)
    assert patience.left_seconds() == 0


def test_nobody_who_was_hardly_waited_for_is_slow() -> None:
    patience = Patience()
    patience.wait(0.4)
    assert not patience.is_slow()
    patience.wait(1)
    assert patience.is_slow()
    patience.move(2**20)
    assert not patience.is_slow()


def test_what_fits_into_the_connection_is_written_at_once(pair: Pair) -> None:
    client, other = pair
    client.sendall(b"abc")
    assert other.recv(10) == b"abc"
    assert client.writing_patience.moved_bytes == 0


def test_all_is_written_to_a_client_that_reads(pair: Pair) -> None:
    client, other = pair
    data = bytes(range(256)) * 40_000
    writing = threading.Thread(target=client.sendall, args=(data,))
    writing.start()
    got = b""
    while len(got) < len(data):
        got += other.recv(2**20)
    writing.join(10)
    assert got == data


def test_a_file_is_written_from_where_it_is_wanted(pair: Pair, tmp_path: object) -> None:
    client, other = pair
    path = f"{tmp_path}/file"
    with open(path, "wb") as file:
        file.write(b"0123456789")
    with open(path, "rb") as file:
        assert client.sendfile(file, 2, 5) == 5
        assert client.sendfile(file, 8) == 2
        assert client.sendfile(file, 5, 100) == 5
    assert other.recv(100) == b"234568956789"


def test_who_does_not_read_is_given_up(pair: Pair) -> None:
    client, _other = pair
    client.begin_answer(is_probe=True)  # without patience
    with pytest.raises(TooSlow):
        client.sendall(bytes(10 * 2**20))


def test_who_does_not_send_is_given_up(pair: Pair) -> None:
    client, _other = pair
    client.reading_patience = Patience(0)
    with pytest.raises(TooSlow):
        client.wait_to_read()


def test_a_stop_ends_a_wait() -> None:
    ours, theirs = socket.socketpair()
    stopping = Stopping()
    with theirs, ClientSocket(ours, SlowReaders(1), stopping) as client:
        stopping.begin()
        assert 0 < stopping.left_seconds() <= 3
        with pytest.raises(TooSlow):
            client.wait_to_read()


def test_gunicorn_cannot_make_it_block(pair: Pair) -> None:
    client, _other = pair
    client.setblocking(True)
    client.settimeout(3)
    with pytest.raises(BlockingIOError):
        client.recv(1)


def test_a_slow_reader_makes_way_for_a_less_slow_one(readers: SlowReaders) -> None:
    those = [slow_reader(readers, "a", size_bytes) for size_bytes in (500, 100)]
    for one in those:
        readers.stay(one)
        readers.stay(one)
    readers.stay(slow_reader(readers, "a", 300))
    assert [one.is_cut for one in those] == [False, True]


def test_the_slowest_that_comes_when_there_is_no_place_goes_itself(readers: SlowReaders) -> None:
    for size_bytes in (500, 100):
        readers.stay(slow_reader(readers, "a", size_bytes))
    with pytest.raises(TooSlow):
        readers.stay(slow_reader(readers, "a", 50))


def test_who_has_most_of_them_makes_way_for_who_has_one(readers: SlowReaders) -> None:
    those = [slow_reader(readers, "a", size_bytes) for size_bytes in (500, 100)]
    for one in those:
        readers.stay(one)
    readers.stay(slow_reader(readers, "b", 1))
    assert [one.is_cut for one in those] == [False, True]


def test_a_place_that_is_left_is_free(readers: SlowReaders) -> None:
    those = [slow_reader(readers, "a", 500) for _ in range(2)]
    for one in those:
        readers.stay(one)
    readers.leave(those[0])
    readers.stay(slow_reader(readers, "a", 1))
    assert [one.is_cut for one in those] == [False, False]


def test_a_stream_takes_no_place_of_slow_readers(pair: Pair, readers: SlowReaders) -> None:
    client, other = pair
    client.begin_answer(is_probe=True)
    client.is_stream = True
    data = bytes(4 * 2**20)
    writing = threading.Thread(target=client.sendall, args=(data,))
    writing.start()
    got = 0
    with suppress(TimeoutError):
        while got < len(data):
            got += len(other.recv(2**20))
    writing.join(10)
    assert got == len(data)
