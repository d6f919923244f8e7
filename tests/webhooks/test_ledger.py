"""What couriers write, and that it is written over nothing that a caller has changed meanwhile."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from signal_bridge.delivery.webhooks.ledger import (
    ATTEMPTS_KEPT,
    Entry,
    Ledger,
    Mark,
    Row,
    Tried,
    revisions_in,
)
from signal_bridge.delivery.webhooks.post import Attempt
from signal_bridge.delivery.webhooks.webhook import Webhook
from signal_bridge.errors import LeaseLost, StoreError
from signal_bridge.feed.filters import Filter
from signal_bridge.feed.own import own_event
from signal_bridge.store.tables import webhooks
from tests.support.databases import POSTGRESQL, SQLITE, Database
from tests.webhooks.conftest import ACCOUNT, Desk

URL = "http://127.0.0.1:9000/hook"
_REFUSE_EVENTS = {
    SQLITE: (
        "CREATE TRIGGER no BEFORE INSERT ON events "
        "BEGIN SELECT RAISE(FAIL, 'database is locked'); END",
    ),
    POSTGRESQL: (
        "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql "
        "AS 'BEGIN RAISE EXCEPTION USING ERRCODE = ''55P03''; END'",
        "CREATE TRIGGER no BEFORE INSERT ON events EXECUTE FUNCTION no()",
    ),
}


@pytest.fixture
def ledger(desk: Desk) -> Ledger:
    return Ledger(desk.store, desk.feed)


def tried(seq: int) -> Tried:
    return Tried(seq, 1, 1000 + seq, Attempt(500, "", 3, None, "oops"))


def key(webhook: Webhook) -> tuple[str, int]:
    return webhook.id, webhook.revision


def failed(webhook: Webhook) -> Mark:
    """As after an attempt that failed: the next one is in an hour."""
    later = dataclasses.replace(webhook, attempt=1, next_attempt_ms=2**41, failing_since_ms=1)
    return Mark(later, Entry((tried(webhook.position + 1),)))


def test_the_newest_attempts_are_kept(desk: Desk, ledger: Ledger) -> None:
    webhook, other = desk.register(URL), desk.register(URL + "/other")
    ledger.mark([Mark(other, Entry((tried(1),)))])
    for seq in range(0, ATTEMPTS_KEPT + 30, 10):
        ledger.mark([Mark(webhook, Entry(tuple(tried(seq + index) for index in range(10))))])
    kept = desk.registry.attempts(ACCOUNT, webhook.id)
    assert [row.seq for row in kept] == list(range(ATTEMPTS_KEPT + 29, 29, -1))
    assert (kept[0].status, kept[0].answer) == (500, "oops")
    assert len(desk.registry.attempts(ACCOUNT, other.id)) == 1


CHANGES: dict[str, Callable[[Desk, Webhook], object]] = {
    "another name": lambda desk, one: desk.registry.change(ACCOUNT, one.id, {"name": "new"}),
    "another url": lambda desk, one: desk.registry.change(ACCOUNT, one.id, {"url": URL + "/new"}),
    "a pause": lambda desk, one: desk.registry.change(ACCOUNT, one.id, {}, paused=True),
    "a resumption": lambda desk, one: desk.registry.change(ACCOUNT, one.id, {}, paused=False),
    "a registration": lambda desk, one: desk.register(URL, types=["receipt"]),
    "a replay of what is parked": lambda desk, one: desk.registry.replay_parked(ACCOUNT, one.id),
}
REPLAYS: dict[str, Callable[[Desk, Webhook], object]] = {
    "from where it stands": lambda desk, one: desk.registry.replay_since(
        ACCOUNT, one.id, one.position + 1
    ),
    "and a change": lambda desk, one: (
        desk.registry.replay_since(ACCOUNT, one.id, one.position + 1),
        desk.registry.change(ACCOUNT, one.id, {"name": "new"}),
    ),
}


@pytest.mark.parametrize("change", [*CHANGES.values(), *REPLAYS.values()], ids=[*CHANGES, *REPLAYS])
def test_a_failure_is_not_written_over_what_a_caller_has_changed(
    desk: Desk, ledger: Ledger, change: Callable[[Desk, Webhook], object]
) -> None:
    desk.tell("1", "2")
    webhook = desk.register(URL)
    ledger.mark([Mark(webhook, Entry(parked=((1, "no"),)))])
    change(desk, webhook)
    changed = desk.get(webhook)
    assert changed.revision > webhook.revision
    assert ledger.mark([failed(webhook)]) == {key(webhook)}
    assert desk.get(webhook) == changed
    assert len(desk.registry.attempts(ACCOUNT, webhook.id)) == 1
    assert ledger.mark([failed(changed)]) == set()
    assert desk.get(webhook).attempt == 1


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_is_delivered_stays_so_whatever_a_caller_has_changed(
    desk: Desk, ledger: Ledger, change: Callable[[Desk, Webhook], object]
) -> None:
    webhook = desk.register(URL)
    ledger.mark([Mark(failed(webhook).webhook, Entry(parked=((1, "no"),)))])
    change(desk, webhook)
    changed = desk.get(webhook)
    on = dataclasses.replace(webhook, position=3)
    entry = Entry((tried(2), tried(3)), parked=((1, "no"), (2, "no")))
    assert ledger.mark([Mark(on, entry)]) == {key(webhook)}
    after = desk.get(webhook)
    assert (after.position, after.attempt, after.next_attempt_ms) == (3, 0, 0)
    assert (after.state, after.revision) == (changed.state, changed.revision)
    wanted = [(row.seq, row.wanted) for row in desk.registry.list_parked(ACCOUNT, webhook.id)]
    assert wanted == [(1, change is CHANGES["a replay of what is parked"]), (2, False)]


@pytest.mark.parametrize("replay", REPLAYS.values(), ids=REPLAYS)
def test_what_was_delivered_before_a_replay_is_not_written_after_it(
    desk: Desk, ledger: Ledger, replay: Callable[[Desk, Webhook], object]
) -> None:
    desk.tell("1", "2", "3")
    webhook = desk.registry.replay_since(ACCOUNT, desk.register(URL).id, 1)
    replay(desk, webhook)
    on = dataclasses.replace(webhook, position=3)
    report = own_event("webhook.parked", ACCOUNT)
    assert ledger.mark([Mark(on, Entry((tried(2),), ((2, "no"),), reports=(report,)))])
    assert desk.get(webhook).position == 0
    assert desk.registry.list_parked(ACCOUNT, webhook.id) == []
    assert desk.feed.newest_seq() == 3


def test_a_mark_does_not_undo_what_the_setting_says(desk: Desk, ledger: Ledger) -> None:
    webhook = desk.registry.set_env(URL)
    assert webhook is not None
    assert desk.registry.set_env(URL) == webhook
    desk.registry.set_env(URL + "/new")
    assert ledger.mark([failed(webhook)]) == {key(webhook)}


def test_what_was_wanted_again_meanwhile_is_still_parked(desk: Desk, ledger: Ledger) -> None:
    webhook = desk.register(URL)
    ledger.mark([Mark(webhook, Entry(parked=((1, "no"), (2, "no"))))])
    desk.registry.replay_parked(ACCOUNT, webhook.id)
    assert ledger.mark([Mark(webhook, Entry((tried(1),), unparked=(1,)))]) == {key(webhook)}
    assert [row.seq for row in desk.registry.list_parked(ACCOUNT, webhook.id)] == [1, 2]
    assert ledger.rows([webhook.id]) == [Row(desk.get(webhook), replays=True)]


def test_one_webhook_that_has_changed_holds_up_no_other(desk: Desk, ledger: Ledger) -> None:
    first, changed, gone, last = (desk.register(f"{URL}/{one}") for one in range(4))
    desk.registry.replay_since(ACCOUNT, changed.id, 1)
    desk.registry.delete(ACCOUNT, gone.id)
    marks = [
        Mark(dataclasses.replace(one, position=7), Entry((tried(7),), ((7, one.id),)))
        for one in (first, changed, gone, last)
    ]
    assert ledger.mark(marks) == {key(changed), key(gone)}
    parked = [desk.registry.list_parked(ACCOUNT, one.id) for one in (first, changed, last)]
    assert [[row.reason for row in rows] for rows in parked] == [[first.id], [], [last.id]]
    assert len(desk.registry.attempts(ACCOUNT, changed.id)) == 1


def test_a_courier_leaves_nothing_for_a_webhook_that_is_gone(desk: Desk, ledger: Ledger) -> None:
    webhook = desk.register(URL)
    desk.registry.delete(ACCOUNT, webhook.id)
    assert ledger.rows([webhook.id]) == []
    assert ledger.mark([Mark(webhook, Entry((tried(1),), ((1, "no"),)))]) == {key(webhook)}
    with desk.store.read() as connection:
        for table in ("attempts", "parked", "webhooks"):
            assert connection.scalar(sa.text(f"SELECT count(*) FROM {table}")) == 0


def test_parked_events_that_are_gone_are_not_wanted_for_ever(desk: Desk, ledger: Ledger) -> None:
    webhook = desk.register(URL)
    ledger.mark([Mark(webhook, Entry((tried(7),), ((7, "no"),)))])
    assert desk.registry.replay_parked(ACCOUNT, webhook.id) == 1
    assert ledger.rows([webhook.id])[0].replays
    assert ledger.next_wanted(webhook.id, -1) is None
    [row] = desk.registry.list_parked(ACCOUNT, webhook.id)
    assert (row.wanted, row.reason) == (False, "the event is no longer kept")


def test_a_mark_and_what_it_reports_are_written_together_or_not_at_all(
    desk: Desk, ledger: Ledger, database: Database
) -> None:
    webhook = desk.register(URL)
    report = own_event("webhook.parked", ACCOUNT, webhook=webhook.id)
    entry = Entry((tried(1),), ((1, "no"),), reports=(report,))
    after = dataclasses.replace(webhook, position=1)
    with desk.store.write() as unit:
        for statement in _REFUSE_EVENTS[database.kind]:
            unit.execute(sa.text(statement))
    with pytest.raises(StoreError):
        ledger.mark([Mark(after, entry)])
    assert desk.get(webhook) == webhook
    assert desk.registry.list_parked(ACCOUNT, webhook.id) == []
    assert desk.registry.attempts(ACCOUNT, webhook.id) == []
    with desk.store.write() as unit:
        where = " ON events" if database.kind == POSTGRESQL else ""
        unit.execute(sa.text(f"DROP TRIGGER no{where}"))
    assert ledger.mark([Mark(after, entry)]) == set()
    assert len(desk.feed.read(Filter(kinds=("webhook.parked",)), 0, 9)) == 1
    assert desk.get(webhook).position == 1


def test_a_webhook_that_was_changed_meanwhile_is_not_disabled(desk: Desk, ledger: Ledger) -> None:
    webhook = desk.register(URL)
    desk.registry.change(ACCOUNT, webhook.id, {"name": "new"})
    report = own_event("webhook.disabled", ACCOUNT, webhook=webhook.id)
    off = dataclasses.replace(webhook, state="disabled", detail="gone")
    assert ledger.mark([Mark(off, Entry(reports=(report,)))]) == {key(webhook)}
    assert desk.feed.newest_seq() == 0
    assert desk.get(webhook).state == "active"


def test_only_who_holds_the_lease_writes(desk: Desk) -> None:
    webhook = desk.register(URL)
    first = Ledger(desk.store, desk.feed, desk.lease("one"))
    assert first.mark([failed(webhook)]) == set()
    second = Ledger(desk.store, desk.feed, desk.lease("two"))
    with pytest.raises(LeaseLost):
        first.mark([Mark(dataclasses.replace(webhook, position=9), Entry((tried(9),)))])
    assert desk.get(webhook).position == 0
    assert second.mark([failed(webhook)]) == set()


def test_without_webhooks_the_roll_is_empty(ledger: Ledger) -> None:
    assert revisions_in(ledger.roll()) == {}


def test_a_webhook_in_place_of_another_is_another_roll(desk: Desk, ledger: Ledger) -> None:
    first = desk.register(URL)
    before = ledger.roll()
    assert ledger.roll() == before
    desk.registry.delete(ACCOUNT, first.id)
    second = desk.register(URL)
    assert second.revision == first.revision
    assert ledger.roll() != before


def test_only_active_webhooks_are_served(desk: Desk, ledger: Ledger) -> None:
    active, paused = desk.register(URL), desk.register(URL + "/paused")
    desk.registry.change(ACCOUNT, paused.id, {}, paused=True)
    assert revisions_in(ledger.roll()) == {active.id: 1}
    assert ledger.rows([active.id, paused.id]) == [Row(active)]
    with desk.store.write() as unit:
        unit.execute(sa.update(webhooks).values(revision=7))
    assert revisions_in(ledger.roll()) == {active.id: 7}
