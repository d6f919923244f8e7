"""Who alone may do something: one at a time, for a while, and nothing late."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from signal_bridge.clock import Deadline
from signal_bridge.errors import LeaseLost
from signal_bridge.store.engine import Store
from signal_bridge.store.leases import LEASE_SECONDS, Lease, Leases
from tests.rpc.far_end import InThread

AN_HOUR_MS = 3_600_000


@pytest.fixture
def leases(store: Store) -> Leases:
    return Leases(store)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The database's clock: `clock[0] += ms`."""
    clock = [1_700_000_000_000]
    monkeypatch.setattr(
        Store, "clock_ms", property(lambda _: sa.literal(clock[0], sa.BigInteger()))
    )
    return clock


def take(leases: Leases, holder: str, name: str = "work") -> Lease | None:
    with leases._store.write() as unit:
        return leases.take(unit, name, holder)


def taken(leases: Leases, holder: str, name: str = "work") -> Lease:
    lease = take(leases, holder, name)
    assert lease
    return lease


def release(leases: Leases, lease: Lease) -> None:
    with leases._store.write() as unit:
        leases.release(unit, lease)


def fenced(leases: Leases, lease: Lease) -> None:
    with leases._store.write() as unit:
        leases.fence(unit, lease)


def test_one_holds_it_and_the_other_does_not(leases: Leases) -> None:
    assert take(leases, "a")
    assert take(leases, "b") is None
    assert leases.holder("work") == "a"
    assert take(leases, "b", "other work")


def test_who_lets_go_lets_the_next_one_in(leases: Leases) -> None:
    release(leases, taken(leases, "a"))
    assert leases.holder("work") == ""
    assert take(leases, "b")


def test_the_same_holder_may_take_it_again_after_a_crash(leases: Leases) -> None:
    before = taken(leases, "a")
    after = taken(leases, "a")
    assert after.epoch > before.epoch
    with pytest.raises(LeaseLost):
        fenced(leases, before)


def test_one_that_died_holds_it_for_a_while_and_no_longer(leases: Leases, clock: list[int]) -> None:
    taken(leases, "a")
    clock[0] += round(LEASE_SECONDS * 1000) - 1
    assert take(leases, "b") is None
    clock[0] += 1
    assert take(leases, "b")


def test_one_that_renews_keeps_it(leases: Leases, clock: list[int]) -> None:
    lease = taken(leases, "a")
    for _ in range(100):
        clock[0] += round(lease.renew_seconds * 1000)
        assert leases.renew(lease)
        assert take(leases, "b") is None


@pytest.mark.parametrize("jump_ms", [-AN_HOUR_MS, -40 * 24 * AN_HOUR_MS])
def test_a_clock_that_was_set_back_keeps_nobody_out(
    leases: Leases, clock: list[int], jump_ms: int
) -> None:
    taken(leases, "a")
    clock[0] += jump_ms
    assert leases.holder("work") == ""
    assert take(leases, "b")


def test_what_the_earlier_holder_writes_late_is_refused(leases: Leases, clock: list[int]) -> None:
    late = taken(leases, "a")
    clock[0] += AN_HOUR_MS
    current = taken(leases, "b")
    assert not leases.renew(late)
    release(leases, late)
    assert leases.holder("work") == "b"
    with pytest.raises(LeaseLost):
        fenced(leases, late)
    fenced(leases, current)


def test_only_one_of_many_at_once_gets_it(store: Store, database_url: str) -> None:
    stores = [Store(database_url) for _ in range(8)]
    tries = [InThread(take, Leases(one), f"holder-{n}") for n, one in enumerate(stores)]
    assert sum(one.result() is not None for one in tries) == 1
    for one in stores:
        one.close()


def test_who_waits_is_woken_by_the_release_in_another_process(
    leases: Leases, database_url: str
) -> None:
    lease, other = taken(leases, "a"), Store(database_url)
    theirs = Leases(other)
    waiting = InThread(theirs.wait_until, lambda: take(theirs, "b") is not None, Deadline(60))
    release(leases, lease)
    assert waiting.result() is True
    other.close()


def test_a_wait_ends_with_its_deadline(leases: Leases) -> None:
    taken(leases, "a")
    assert not leases.wait_until(lambda: take(leases, "b") is not None, Deadline(0.05))
    assert not leases.wait_until(lambda: False, Deadline(0))


def test_the_clock_of_the_leases_goes_on_by_itself(store: Store) -> None:
    with store.read() as connection:
        first = connection.scalar(sa.select(store.clock_ms))
        second = connection.scalar(sa.select(store.clock_ms))
    assert isinstance(first, int)
    assert 0 < first <= second
