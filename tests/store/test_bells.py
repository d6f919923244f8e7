"""Who waits for a change hears of it, whichever process made it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from signal_bridge.errors import StoreUnavailable
from signal_bridge.store import bells as module
from signal_bridge.store.bells import FEED, LEASES, LINKS, TOPICS, Bells, Ear, Files
from signal_bridge.store.engine import Store
from tests.support import eventually
from tests.support.postgres import Server

ROOT = Path(__file__).parents[2]
RING = """
import sys
from signal_bridge.store.engine import Store
with Store(sys.argv[1]).write() as unit:
    unit.ring(sys.argv[2])
"""


class Listener:
    """Counts how often it was woken."""

    def __init__(self) -> None:
        self.times = 0
        self.fails = False

    def __call__(self) -> None:
        self.times += 1
        if self.fails:
            raise StoreUnavailable("away")


@pytest.fixture
def never_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is woken but by a bell."""
    monkeypatch.setattr(module, "LOOK_SECONDS", 3600)


@pytest.fixture
def listener(store: Store, never_looks: None) -> Iterator[Listener]:
    """Listens to the feed; woken once at the beginning, for what was rung before."""
    listener = Listener()
    with store.bells.listening(FEED, listener):
        eventually(lambda: listener.times == 1, what="the first look")
        yield listener


def ring(store: Store, topic: str) -> None:
    with store.write() as unit:
        unit.ring(topic)


def test_a_commit_that_rings_wakes_who_listens(store: Store, listener: Listener) -> None:
    ring(store, FEED)
    eventually(lambda: listener.times == 2, what="a listener that is woken")


def test_a_commit_of_another_process_wakes_who_listens(
    database_url: str, listener: Listener
) -> None:
    subprocess.run([sys.executable, "-c", RING, database_url, FEED], cwd=ROOT, check=True)
    eventually(lambda: listener.times == 2, what="a listener that is woken")


def test_what_is_not_committed_rings_nothing(store: Store, listener: Listener) -> None:
    def fail() -> None:
        with store.write() as unit:
            unit.ring(FEED)
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        fail()
    ring(store, FEED)
    eventually(lambda: listener.times == 2, what="the one that was committed")


def test_who_listens_to_something_else_is_left_alone(store: Store, listener: Listener) -> None:
    other = Listener()
    with store.bells.listening(LINKS, other):
        eventually(lambda: other.times == 1, what="its first look")
        ring(store, FEED)
        eventually(lambda: listener.times == 2, what="the listener of the feed")
        assert other.times == 1


def test_who_has_gone_is_woken_no_more(store: Store, listener: Listener) -> None:
    gone = Listener()
    with store.bells.listening(FEED, gone):
        eventually(lambda: gone.times == 1, what="its first look")
    ring(store, FEED)
    eventually(lambda: listener.times == 2, what="the one that stayed")
    assert gone.times == 1


def test_one_that_fails_is_woken_again_and_keeps_nobody_from_hearing(
    store: Store, listener: Listener
) -> None:
    failing = Listener()
    failing.fails = True
    with store.bells.listening(FEED, failing):
        eventually(lambda: failing.times >= 3, what="the one that fails, again and again")
        ring(store, FEED)
        eventually(lambda: listener.times == 2, what="the one that is well")
        failing.fails = False


def test_a_bell_that_nobody_heard_is_made_up_for_by_a_look(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.01)
    listener = Listener()
    with store.bells.listening(FEED, listener):
        eventually(lambda: listener.times >= 3, what="looks without a bell")


def test_one_thread_serves_all_who_listen(store: Store, listener: Listener) -> None:
    before = threading.active_count()
    more = [Listener() for _ in range(50)]
    for one in more:
        store.bells.listen(FEED, one)
    eventually(lambda: all(one.times == 1 for one in more), what="everybody's first look")
    ring(store, FEED)
    eventually(lambda: all(one.times >= 2 for one in more), what="everybody")
    assert threading.active_count() == before


def test_closing_ends_the_thread(store: Store, listener: Listener) -> None:
    store.bells.close()
    eventually(
        lambda: not any(thread.name == "bells" for thread in threading.enumerate()),
        what="no thread",
    )
    store.bells.listen(FEED, Listener())  # and nobody starts it again
    assert not any(thread.name == "bells" for thread in threading.enumerate())


def test_without_inotify_changes_are_looked_for(tmp_path: Path) -> None:
    bells = Bells(lambda: None)
    listener = Listener()
    with bells.listening(FEED, listener):
        eventually(lambda: listener.times >= 3, what="looks")
    bells.close()


def test_an_ear_that_goes_deaf_is_replaced(store: Store, listener: Listener) -> None:
    ear = store.bells._ear
    assert ear
    if store.is_postgres:
        with store.write() as unit:
            unit.connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid != pg_backend_pid()"
            )
        eventually(lambda: store.bells._ear not in (None, ear), 20, "another ear")
    heard = listener.times
    ring(store, FEED)
    eventually(lambda: listener.times > heard, what="a listener that is woken")


def test_a_connection_that_is_cut_off_before_it_listens_is_no_surprise(
    postgres_server: Server,
) -> None:
    with postgres_server.database() as name:
        store = Store(postgres_server.url(name))
        try:
            sa.event.listen(
                store._engine, "checkout", lambda *_: postgres_server.terminate(name), once=True
            )
            with pytest.raises(StoreUnavailable):
                store._ear()
            ear = eventually(lambda: ear_of(store), what="another connection")
            assert ear.heard() == set()
            ear.close()
        finally:
            store.close()


def ear_of(store: Store) -> Ear | None:
    try:
        return store._ear()
    except StoreUnavailable:
        return None


def test_the_bells_of_a_file_are_private_and_few(tmp_path: Path) -> None:
    files = Files(tmp_path / "bridge.db")
    ear = files.ear()
    assert ear
    directory = tmp_path / "bridge.db-bells"
    assert {path.name for path in directory.iterdir()} == set(TOPICS)
    assert directory.stat().st_mode & 0o077 == 0
    for _ in range(100_000):  # more than the kernel's queue holds
        files.ring(FEED)
    os.pwrite(files._file(LINKS), b"!", 0)
    heard: set[str] = set()
    while found := ear.heard():
        heard |= found
    assert heard >= {FEED, LINKS}
    ear.close()


def test_a_directory_that_cannot_be_made_is_no_reason_to_fail(tmp_path: Path) -> None:
    (tmp_path / "bridge.db-bells").write_text("in the way")
    files = Files(tmp_path / "bridge.db")
    files.ring(FEED)
    assert files.ear() is None


def test_who_begins_to_listen_is_told_to_look_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was rung between its own look and now was heard by others, and not by it."""
    monkeypatch.setattr(module, "LOOK_SECONDS", 3600.0)
    first, second = threading.Event(), threading.Event()
    with store.bells.listening(FEED, first.set):
        assert first.wait(10)
        with store.bells.listening(LEASES, second.set):
            assert second.wait(10)
