"""How far each reader has got, and that two never get the same."""

from __future__ import annotations

import json
import threading

import pytest

from signal_bridge.clock import Deadline
from signal_bridge.inbox import cursors as module
from signal_bridge.inbox.cursors import Cursors
from signal_bridge.inbox.envelope import arrival_of
from signal_bridge.inbox.filters import Filter
from signal_bridge.inbox.store import Inbox
from signal_bridge.store.engine import Store
from tests.inbox.envelopes import ACCOUNT, text
from tests.rpc.far_end import InThread

NOW = Deadline(0)


@pytest.fixture
def cursors(store: Store) -> Cursors:
    return Cursors(store)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The wall clock of the leases: `clock[0] += ms`."""
    clock = [1_700_000_000_000]
    monkeypatch.setattr(module, "now_ms", lambda: clock[0])
    return clock


def test_a_new_cursor_begins_before_the_first_event(cursors: Cursors) -> None:
    lease = cursors.take("a", NOW)
    assert lease
    assert lease.position == 0
    assert cursors.position("never used") == 0


def test_a_cursor_goes_on_where_it_was_left(cursors: Cursors) -> None:
    with cursors.held("a", NOW) as lease:
        assert lease
        lease.advance(7)
        assert lease.position == 7
    assert cursors.position("a") == 7
    with cursors.held("a", NOW) as lease:
        assert lease
        assert lease.position == 7


def test_what_was_not_handed_over_is_read_again(cursors: Cursors) -> None:
    with pytest.raises(ConnectionError), cursors.held("a", NOW):
        raise ConnectionError("the client went away")
    with cursors.held("a", NOW) as lease:
        assert lease
        assert lease.position == 0


def test_a_second_reader_waits_until_the_first_lets_go(cursors: Cursors) -> None:
    first = cursors.take("a", NOW)
    assert first
    assert cursors.take("a", NOW) is None
    second = InThread(cursors.take, "a", Deadline(60))
    first.advance(3)
    assert not second.is_over()
    first.release()
    assert second.result().position == 3


def test_cursors_of_other_names_do_not_wait(cursors: Cursors) -> None:
    assert cursors.take("a", NOW)
    assert cursors.take("b", NOW)


def test_a_reader_that_died_holds_its_lease_only_for_a_while(
    cursors: Cursors, clock: list[int]
) -> None:
    assert cursors.take("a", NOW)
    clock[0] += 9_000
    assert cursors.take("a", NOW) is None
    clock[0] += 2_000
    assert cursors.take("a", NOW)


def test_a_lease_lasts_for_as_long_as_it_is_renewed(cursors: Cursors, clock: list[int]) -> None:
    lease = cursors.take("a", Deadline(1000))
    assert lease
    for _ in range(100):
        clock[0] += int(module.RENEW_SECONDS * 1000)
        assert lease.renew()
        assert cursors.take("a", NOW) is None
    clock[0] += 11_000
    assert cursors.take("a", NOW)
    assert not lease.renew()


def test_a_reader_whose_lease_ran_out_moves_nothing_and_lets_nobody_in(
    cursors: Cursors, clock: list[int]
) -> None:
    late = cursors.take("a", NOW)
    clock[0] += 3_600_000
    current = cursors.take("a", NOW)
    assert late
    assert current
    late.advance(99)
    late.release()
    assert cursors.position("a") == 0
    assert cursors.take("a", NOW) is None
    current.advance(5)
    assert cursors.position("a") == 5


def test_two_pollers_never_get_the_same_message(
    cursors: Cursors, inbox: Inbox, database_url: str
) -> None:
    """Each with connections of its own, as two processes have."""
    inbox.append([arrival_of(text(str(n), timestamp=n)) for n in range(200)])
    got: list[str] = []
    adding = threading.Lock()  # guards got

    def poll_until_empty() -> None:
        store = Store(database_url)
        mine, feed = Cursors(store), Inbox(store)
        while True:
            with mine.held("poll", Deadline(60)) as lease:
                assert lease
                events = feed.read(Filter(ACCOUNT), lease.position, 7)
                if not events:
                    break
                with adding:
                    got.extend(
                        json.loads(event.payload)["envelope"]["dataMessage"]["message"]
                        for event in events
                    )
                lease.advance(events[-1].seq)
        store.close()

    pollers = [InThread(poll_until_empty) for _ in range(4)]
    for poller in pollers:
        poller.result(60)
    assert got == [str(n) for n in range(200)]
