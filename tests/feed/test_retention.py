"""Old events and files go, and nobody is left to wonder where they went."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
import sqlalchemy as sa

from signal_bridge.clock import now_ms
from signal_bridge.inbox.cursors import POLL, Cursors, cursor_name
from signal_bridge.inbox.event import Arrival
from signal_bridge.inbox.filters import OWN_KINDS, Filter
from signal_bridge.inbox.retention import Retention
from signal_bridge.inbox.store import Inbox
from signal_bridge.settings import Settings, read_settings
from signal_bridge.store.engine import Store
from signal_bridge.store.migrations import migrate
from signal_bridge.store.tables import events, parked

ACCOUNT = "+4915112345"
DAY_MS = 86_400_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path}/bridge.db")
    migrate(store)
    yield store
    store.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return read_settings({"SIGNAL_CLI_CONFIG_DIR": str(tmp_path)})


def filled(store: Store, count: int, age_days: int = 0, first: int = 0) -> Inbox:
    inbox = Inbox(store)
    inbox.append(
        [
            Arrival(ACCOUNT, "message", f"key {n}", b'{"envelope":{}}' + b" " * 85)
            for n in range(first, first + count)
        ]
    )
    with store.write() as connection:
        connection.execute(
            sa.update(events)
            .where(events.c.dedup_key.in_([f"key {n}" for n in range(first, first + count)]))
            .values(received_at_ms=now_ms() - age_days * DAY_MS)
        )
    return inbox


def seqs(inbox: Inbox) -> list[int]:
    return [event.seq for event in inbox.read(Filter(ACCOUNT), 0, 1000)]


def reports(inbox: Inbox) -> list[dict[str, object]]:
    return [orjson.loads(e.payload) for e in inbox.read(Filter(ACCOUNT, OWN_KINDS), 0, 1000)]


def test_events_older_than_allowed_go_and_the_others_stay(store: Store, settings: Settings) -> None:
    filled(store, 3, age_days=40)
    inbox = filled(store, 2, first=3)
    Retention(settings, store, inbox).prune_events()
    assert seqs(inbox) == [4, 5]


def test_the_oldest_go_until_the_rest_fits(store: Store, settings: Settings) -> None:
    inbox = filled(store, 10)  # 100 bytes each
    Retention(dataclasses.replace(settings, keep_bytes=450), store, inbox).prune_events()
    assert seqs(inbox) == [7, 8, 9, 10]


def test_zero_is_for_ever(store: Store, settings: Settings) -> None:
    inbox = filled(store, 3, age_days=4000)
    without = dataclasses.replace(settings, keep_days=0, keep_bytes=0)
    Retention(without, store, inbox).prune_events()
    assert seqs(inbox) == [1, 2, 3]


def test_a_reader_whose_cursor_is_older_is_told_the_gap(store: Store, settings: Settings) -> None:
    filled(store, 3, age_days=40)
    inbox = filled(store, 1, first=3)
    Retention(settings, store, inbox).prune_events()
    gap = inbox.gap(ACCOUNT, after=1)
    assert gap is not None
    assert (gap.first_seq, gap.last_seq) == (2, 3)
    assert inbox.gap(ACCOUNT, after=3) is None
    assert inbox.gap("+49another", after=0) is None


def test_what_nobody_has_read_and_what_is_parked_is_counted_and_told(
    store: Store, settings: Settings
) -> None:
    inbox = filled(store, 5, age_days=40)
    Cursors(store).move(cursor_name(POLL, ACCOUNT), 2)
    with store.write() as connection:
        row = {"webhook_id": "w", "seq": 4, "parked_ms": 0, "reason": "", "wanted": False}
        connection.execute(sa.insert(parked).values(**row))
    Retention(settings, store, inbox).prune_events()
    (report,) = reports(inbox)
    assert report["event"] == "feed.pruned"
    assert (report["removed"], report["unread"], report["parked"]) == (5, 3, 1)
    with store.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(parked)) == 0


def test_a_seq_is_never_used_again(store: Store, settings: Settings) -> None:
    inbox = filled(store, 3, age_days=40)
    Retention(settings, store, inbox).prune_events()
    filled(store, 1, first=9)
    assert seqs(inbox)[0] > 3


def test_received_files_stay_unless_a_limit_is_set(store: Store, settings: Settings) -> None:
    settings.attachments_dir.mkdir(parents=True)
    for number in range(4):
        path = settings.attachments_dir / f"{number}.bin"
        path.write_bytes(b"x" * 100)
        os.utime(path, (1000 + number, 1000 + number))
    inbox = Inbox(store)
    Retention(settings, store, inbox).prune_attachments()
    assert len(list(settings.attachments_dir.iterdir())) == 4
    Retention(
        dataclasses.replace(settings, keep_attachment_bytes=250), store, inbox
    ).prune_attachments()
    assert sorted(p.name for p in settings.attachments_dir.iterdir()) == ["2.bin", "3.bin"]
    Retention(
        dataclasses.replace(settings, keep_attachment_days=10), store, inbox
    ).prune_attachments()
    assert list(settings.attachments_dir.iterdir()) == []
