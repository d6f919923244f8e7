"""Clients take turns, and when there is no room, the one with the most makes it."""

from __future__ import annotations

import dataclasses

from signal_bridge.serving.crowd import Crowd, slowest_of_most
from signal_bridge.serving.heads import Head, Stage
from signal_bridge.serving.lanes import Lanes
from signal_bridge.serving.queueing import Lane, Queue, Share, Ticket


def ticket(client: str, lane: Lane, name: str = "", until: float = 30.0) -> Ticket:
    return Ticket(client, lane, name or client, until)


def begun(queue: Queue) -> list[str]:
    return [one.item for one in queue.ready()]


def test_a_request_begins_at_once_while_there_is_a_place() -> None:
    lane = Lane(Share(2))
    queue = Queue([lane])
    assert [queue.put(ticket("a", lane)) for _ in range(3)] == [True, True, False]
    assert lane.is_full()


def test_clients_take_turns_however_much_each_has_asked() -> None:
    lane = Lane(Share(1))
    queue = Queue([lane])
    running = ticket("a", lane)
    assert queue.put(running)
    for name in ("a1", "a2", "a3", "b1", "b2", "c1"):
        queue.put(ticket(name[0], lane, name))
    order = []
    for _ in range(6):
        running.give()
        [running] = queue.ready()
        order.append(running.item)
    assert order == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_one_client_has_no_more_than_its_share() -> None:
    lane = Lane(Share(4, 2))
    queue = Queue([lane])
    mine = [ticket("a", lane, f"a{n}") for n in range(3)]
    assert [queue.put(one) for one in mine] == [True, True, False]
    assert mine[2].is_held_by_its_client()
    assert queue.put(ticket("b", lane))
    assert begun(queue) == []
    mine[0].give()
    assert begun(queue) == ["a2"]


def test_kinds_that_share_places_take_turns_too() -> None:
    every = Share(1)
    one, other = Lane(every), Lane(every)
    queue = Queue([one, other])
    running = ticket("a", one)
    queue.put(running)
    for name in ("one1", "one2", "one3"):
        queue.put(ticket("a", one, name))
    queue.put(ticket("b", other, "other1"))
    order = []
    for _ in range(4):
        running.give()
        [running] = queue.ready()
        order.append(running.item)
    assert order.index("other1") < 3


def test_a_place_is_given_back_once_however_often_it_is_said() -> None:
    share, other = Share(1), Share(1)
    lane = Lane(share, other)
    one = ticket("a", lane)
    Queue([lane]).put(one)
    one.give(other)
    one.give(other)
    assert (share.taken, other.taken, one.holds(share), one.holds(other)) == (1, 0, True, False)
    one.give()
    one.give()
    assert (share.taken, share.of("a")) == (0, 0)


def test_who_has_waited_for_too_long_waits_no_longer() -> None:
    lane = Lane(Share(1))
    queue = Queue([lane])
    running = ticket("a", lane)
    queue.put(running)
    for n in range(3):
        queue.put(ticket("a", lane, f"a{n}", until=10.0 + n))
    assert [one.item for one in queue.late(11.5)] == ["a0", "a1"]
    assert [one.item for one in queue.waiting()] == ["a2"]
    running.give()
    assert begun(queue) == ["a2"]
    assert list(queue.late(100)) == []


def test_a_request_can_be_withdrawn() -> None:
    lane = Lane(Share(1))
    queue = Queue([lane])
    running, other = ticket("a", lane), ticket("b", lane)
    queue.put(running)
    queue.put(other)
    queue.withdraw(other)
    running.give()
    assert begun(queue) == []
    assert list(queue.late(100)) == []


def test_of_the_client_with_the_most_the_one_whose_turn_is_furthest_goes_first() -> None:
    every = Share(1)
    lane, other = Lane(every), Lane(every)
    queue = Queue([lane, other])
    assert queue.first_to_go() is None
    queue.put(ticket("a", lane))
    for name in ("a1", "b1", "b2", "c1"):
        queue.put(ticket(name[0], lane, name))
    for name in ("a2", "a3"):
        queue.put(ticket("a", other, name))
    order = []
    while (first := queue.first_to_go()) is not None:
        order.append(first.item)
        queue.withdraw(first)
    assert order[0] == "a3"
    assert set(order[1:3]) < {"a1", "a2", "b2"}
    assert len(order) == 6


# -- lanes -------------------------------------------------------------------------------------


def head(method: bytes = b"GET", path: bytes = b"/") -> Head:
    return Head(20, method, path, None, False, False)


def test_probes_have_places_of_their_own_and_liveness_always_one() -> None:
    lanes = Lanes(8)
    queue = Queue(lanes.all)
    assert lanes.of(head(path=b"/livez"), Stage.WHOLE) is lanes.liveness
    assert lanes.of(head(b"HEAD", b"/v1/health"), Stage.WHOLE) is lanes.readiness
    assert lanes.of(head(b"POST", b"/livez"), Stage.WHOLE) is lanes.ordinary
    assert lanes.of(head(path=b"/livez"), Stage.LONG) is lanes.long
    assert lanes.of(None, Stage.WHOLE) is lanes.ordinary
    ready = [queue.put(ticket("a", lanes.readiness)) for _ in range(5)]
    busy = [queue.put(ticket(f"c{n}", lanes.ordinary)) for n in range(9)]
    assert (ready.count(True), busy.count(True)) == (3, 8)
    assert queue.put(ticket("a", lanes.liveness))


def test_one_client_leaves_some_threads_and_some_long_bodies_to_others() -> None:
    lanes = Lanes(96)
    queue = Queue(lanes.all)
    long = [queue.put(ticket("a", lanes.long)) for _ in range(20)]
    ordinary = [queue.put(ticket("a", lanes.ordinary)) for _ in range(96)]
    assert (long.count(True), ordinary.count(True)) == (9, 63)
    assert [queue.put(ticket("b", lanes.long)) for _ in range(4)].count(True) == 3


# -- the crowd ---------------------------------------------------------------------------------


@dataclasses.dataclass(eq=False)
class Waiter:
    name: str
    owner: str
    until: float = 10.0


def test_of_whom_there_are_most_the_longest_goes_first() -> None:
    crowd: Crowd[Waiter] = Crowd()
    assert crowd.first_to_go() is None
    waiters = [Waiter(f"{owner}{n}", owner, n) for n in range(3) for owner in "ab"]
    alone = Waiter("alone", "c", 99)
    for one in (alone, *waiters, Waiter("a3", "a", 99)):
        crowd.add(one)
    order = []
    while (first := crowd.first_to_go()) is not None:
        order.append(first.name)
        crowd.remove(first)
    assert order[:2] == ["a0", "a1"]
    assert {"alone", "a3", "b2"} == set(order[-3:])
    assert len(crowd) == 0


def test_whose_time_is_up_is_found() -> None:
    crowd: Crowd[Waiter] = Crowd()
    for n in range(3):
        crowd.add(Waiter(str(n), "a", n))
    assert [one.name for one in crowd.late(1)] == ["0", "1"]


def test_of_whom_there_are_most_the_slowest_goes() -> None:
    speeds = {"a1": 50.0, "a2": 40.0, "b1": 1.0}
    assert slowest_of_most(["a1", "b1", "a2"], lambda name: (name[0], speeds[name])) == "a2"
    assert slowest_of_most(["a1", "b1"], lambda name: (name[0], speeds[name])) == "b1"
