"""Files of all requests share one room, of which a client gets half, in all processes together."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signal_bridge.errors import BodyTooLarge, BridgeError, Busy, BusyForClient, StoreFull
from signal_bridge.spool.disks import Disks
from signal_bridge.spool.holding import hold_new
from signal_bridge.spool.room import ENTRY_BYTES, Room, refusal, sizes_in
from signal_bridge.spool.spool import Spool

ROOT = Path(__file__).parents[2]
MIB = 2**20
# Fills a file for a client, says so, and waits to be killed.
WRITER = """
import pathlib, sys, time
from signal_bridge.spool.disks import Disks
from signal_bridge.spool.room import Room
from signal_bridge.spool.spool import Spool
spool = Spool(Room(pathlib.Path(sys.argv[1]), 2**30, Disks({}, 0)), sys.argv[2], 2**30)
spool.write("a", [bytes(int(sys.argv[3]))])
print("written", flush=True)
time.sleep(3600)
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "uploads"


@pytest.fixture
def writer(directory: Path) -> Iterator[Callable[[str, int], subprocess.Popen[str]]]:
    """Another process, in which a client has sent a file of so many bytes."""
    processes: list[subprocess.Popen[str]] = []

    def start(client: str, size_bytes: int) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, directory, client, str(size_bytes)],
            cwd=ROOT, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        processes.append(process)
        assert process.stdout
        assert process.stdout.readline() == "written\n"
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait(30)
        assert process.stdout
        process.stdout.close()


def roomy(directory: Path, limit_bytes: int = 8 * MIB) -> Room:
    return Room(directory, limit_bytes, Disks({}, 0))


def spool_of(room: Room, client: str = "192.0.2.1") -> Spool:
    return Spool(room, client, 2**30)


# -- the rule --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("taken", "name", "more", "kind"),
    [
        ({}, "a.1", 50, None),
        ({}, "a.1", 51, BodyTooLarge),
        ({"a.1": 40}, "a.1", 11, BodyTooLarge),
        ({"a.1": 40}, "a.2", 10, None),
        ({"a.1": 40}, "a.2", 11, BusyForClient),
        ({"a.1": 40}, "b.1", 50, None),
        ({"a.1": 50, "b.1": 40}, "c.1", 10, None),
        ({"a.1": 50, "b.1": 40}, "c.1", 11, Busy),
        ({"a.1": 50, "b.1": 40}, "a.1", 1, BodyTooLarge),
        ({"a.1": 50, "b.1": 50}, "a.2", 1, BusyForClient),
        ({"of-no-client": 95}, "a.1", 6, Busy),
    ],
)
def test_who_gets_more_of_a_hundred(
    taken: dict[str, int], name: str, more: int, kind: type[BridgeError] | None
) -> None:
    error = refusal(taken, name, more, 100)
    assert type(error) is (kind or type(None))


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3), st.integers(1, 60))))
def test_never_is_more_given_than_there_is(asked: list[tuple[str, int, int]]) -> None:
    taken: dict[str, int] = {}
    for client, number, more in asked:
        name = f"{client}.{number}"
        if refusal(taken, name, more, 100) is None:
            taken[name] = taken.get(name, 0) + more
    assert sum(taken.values()) <= 100
    for client in "abc":
        assert sum(size for name, size in taken.items() if name.startswith(client)) <= 50


def test_what_is_full_says_how_much_there_is_and_may_be_tried_again() -> None:
    for taken, size in (({"a.1": 50}, "50 bytes"), ({"b.1": 50, "c.1": 50}, "100 bytes")):
        error = refusal(taken, "a.2", 10, 100)
        assert error is not None
        assert size in str(error)
        assert error.retryable


# -- in one process --------------------------------------------------------------------------------


def test_a_client_gets_half_and_another_the_rest(directory: Path) -> None:
    room = roomy(directory)
    mine, mine_too = spool_of(room), spool_of(room)
    mine.write("a", [bytes(3 * MIB)])
    with pytest.raises(BusyForClient):
        mine_too.write("b", [bytes(2 * MIB)])
    spool_of(room, "2001:db8::/64").write("c", [bytes(3 * MIB)])
    with pytest.raises(Busy):
        spool_of(room, "192.0.2.3").write("d", [bytes(3 * MIB)])
    assert room.disks.warning() == ""


def test_what_a_request_has_written_is_free_again_after_it(directory: Path) -> None:
    room = roomy(directory)
    for _ in range(20):
        spool = spool_of(room)
        spool.write("a", [bytes(3 * MIB)])
        spool.remove()
    assert list(directory.iterdir()) == []


def test_a_request_that_can_never_fit_is_too_large(directory: Path) -> None:
    with pytest.raises(BodyTooLarge) as caught:
        spool_of(roomy(directory)).write("a", [bytes(MIB)] * 5)
    assert caught.value.limit_bytes == 4 * MIB
    assert str(caught.value).startswith("The request with its files is larger")


def test_a_file_that_others_write_counts_as_it_grows(directory: Path) -> None:
    room = roomy(directory)
    path, file = spool_of(room).open_new("a")
    for _ in range(3):
        file.write(bytes(MIB))
    other, more = spool_of(room).open_new("b")
    with pytest.raises(BusyForClient):
        more.write(bytes(MIB))
    file.close()
    more.close()
    assert path.stat().st_size == 3 * MIB
    assert other.stat().st_size == 0


def test_files_without_content_are_not_for_nothing(directory: Path) -> None:
    spool = spool_of(roomy(directory))
    with pytest.raises(BodyTooLarge):
        deque((spool.open_new("a")[1].close() for _ in range(10_000)), maxlen=0)
    files = [path for path in directory.rglob("a") if path.is_file()]
    assert len(files) * 2 * ENTRY_BYTES <= 4 * MIB


def test_however_many_ask_at_once_no_more_is_given_than_there_is(directory: Path) -> None:
    room = roomy(directory)

    def fill(number: int) -> int:
        spool = spool_of(room, f"192.0.2.{number}")
        with contextlib.suppress(Busy, BodyTooLarge):
            for _ in range(40):
                spool.write("a", [bytes(100_000)])
        assert spool._held
        return sizes_in(directory, besides=())[spool._held.path.name]

    with ThreadPoolExecutor(8) as threads:
        written = sum(threads.map(fill, range(8)))
    assert 0 < written <= 8 * MIB


def test_disks_that_lack_room_refuse_before_the_room_is_full(directory: Path) -> None:
    room = Room(directory, 8 * MIB, Disks({"the data directory": directory.parent}, 2**50))
    spool = spool_of(room)
    with pytest.raises(StoreFull, match="BRIDGE_MIN_FREE_BYTES"):
        spool.write("a", [b"x"])
    spool.remove()
    assert list(directory.iterdir()) == []


# -- in several ------------------------------------------------------------------------------------


def test_what_other_processes_hold_counts(
    directory: Path, writer: Callable[[str, int], subprocess.Popen[str]]
) -> None:
    writer("192.0.2.1", 3 * MIB)
    room = roomy(directory)
    with pytest.raises(BusyForClient):
        spool_of(room).write("a", [bytes(2 * MIB)])
    writer("192.0.2.2", 3 * MIB)
    room = roomy(directory)
    with pytest.raises(Busy):
        spool_of(room, "192.0.2.3").write("a", [bytes(3 * MIB)])


def test_what_a_killed_process_left_is_swept_when_it_is_in_the_way(
    directory: Path, writer: Callable[[str, int], subprocess.Popen[str]]
) -> None:
    process = writer("192.0.2.1", 4 * MIB)
    room = roomy(directory)
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    mine = spool_of(room)
    mine.write("a", [bytes(3 * MIB)])
    (left,) = directory.iterdir()
    assert mine._held
    assert left == mine._held.path


def test_sizes_are_told_by_name_whatever_lies_there(directory: Path, tmp_path: Path) -> None:
    held, other = hold_new(directory, "0123456789abcdef."), hold_new(directory)
    (held.path / "one").mkdir()
    (held.path / "one" / "file").write_bytes(bytes(10_000))
    (held.path / "one" / "link").symlink_to("/")
    os.mkfifo(held.path / "fifo")
    (directory / "somebodys").write_bytes(bytes(5000))
    sizes = sizes_in(directory, besides=())
    assert sizes.keys() == {held.path.name, other.path.name}
    assert sizes[other.path.name] == ENTRY_BYTES
    assert 10_000 + 5 * ENTRY_BYTES <= sizes[held.path.name] <= 10_010 + 5 * ENTRY_BYTES
    assert sizes_in(directory, besides=sizes) == {}
    assert sizes_in(tmp_path / "nothing", besides=()) == {}
    for one in (held, other):
        one.remove()
