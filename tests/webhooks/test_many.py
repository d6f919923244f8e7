"""Many webhooks: what they cost, and whom an event or a change concerns."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from signal_bridge.delivery.webhooks import couriers, dispatcher, posters, registry
from signal_bridge.delivery.webhooks.courier import Courier
from signal_bridge.delivery.webhooks.dispatcher import NEW_THREADS, THREADS, Dispatcher, Task
from signal_bridge.delivery.webhooks.ledger import Ledger
from signal_bridge.delivery.webhooks.webhook import Webhook
from tests.support import eventually
from tests.webhooks.conftest import Desk
from tests.webhooks.receiver import Handler, Receiver, status

MANY = 300


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many turns each courier has had."""
    counted: Counter[str] = Counter()
    turn = Courier.turn

    def count(courier: Courier) -> float:
        counted[courier.name] += 1
        return turn(courier)

    monkeypatch.setattr(Courier, "turn", count)
    return counted


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Who was woken, and has a thread by now if there is one for it."""
    names: set[str] = set()
    wake = Dispatcher._wake

    def note(dispatcher: Dispatcher, task: Task) -> None:
        wake(dispatcher, task)
        names.add(task.job.name)

    monkeypatch.setattr(Dispatcher, "_wake", note)
    return names


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    gate = threading.Event()
    yield gate
    gate.set()


def add_many(desk: Desk, receiver: Receiver) -> list[Webhook]:
    """Each for an account of its own."""
    return [desk.register(f"{receiver.url}/{one}", account=f"+{one}") for one in range(MANY)]


def register_many(desk: Desk, receiver: Receiver) -> list[Webhook]:
    """`add_many`, and each has its courier."""
    made = add_many(desk, receiver)
    eventually(lambda: all(desk.serves(one) for one in made), 60)
    return made


def files() -> int:
    return len(os.listdir("/proc/self/fd"))


def connections_to(port: int) -> int:
    """Those of this process's side. One that is closed has no inode: proc(5), "/proc/net/tcp"."""
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return len({row[9] for row in rows if int(row[2][-4:], 16) == port and row[9] != "0"})


def names(*prefixes: str) -> list[str]:
    return [one.name for one in threading.enumerate() if one.name.startswith(prefixes)]


def test_an_event_wakes_whom_it_concerns(
    desk: Desk, receiver: Receiver, turns: Counter[str]
) -> None:
    desk.start()
    made = register_many(desk, receiver)
    eventually(lambda: len(turns) == MANY)
    turns.clear()
    desk.tell("hello", account="+7")
    desk.tell("nobody's", account="+nobody")
    receiver.wait_for(1)
    desk.wait_position(made[7], 1)
    desk.stop()
    assert set(turns) == {f"webhook {made[7].id}"}
    assert receiver.posts[0].path == "/hook/7"


def test_threads_and_files_are_few_however_many_there_are(
    desk: Desk,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    woken: set[str],
    gate: threading.Event,
) -> None:
    def hold(handler: Handler) -> None:
        gate.wait(60)
        status(204)(handler)

    kept = 20
    receiver.otherwise = hold
    monkeypatch.setattr(posters, "KEPT", kept)
    # However slow this machine is: a turn that lasts has a thread more.
    monkeypatch.setattr(dispatcher, "SLOW_SECONDS", 3600.0)
    made = add_many(desk, receiver)
    for one in range(MANY):
        desk.tell("hello", account=f"+{one}")
    before = files()
    desk.start()
    eventually(lambda: woken >= {f"webhook {one.id}" for one in made}, 60)
    assert len(receiver.wait_for(NEW_THREADS)) == NEW_THREADS
    assert NEW_THREADS <= len(names("courier-")) <= THREADS
    assert len(names("couriers", "bells")) == 2
    assert connections_to(receiver.port) == NEW_THREADS
    gate.set()
    posts = receiver.wait_for(MANY, 60)
    assert {post.path for post in posts} == {f"/hook/{one}" for one in range(MANY)}
    assert len(names("courier-")) <= THREADS
    eventually(lambda: connections_to(receiver.port) <= kept)
    # The receiver's ends are in this process as well, and each thread may have a database open.
    eventually(lambda: files() - before <= 2 * kept + THREADS)


def test_receivers_that_hang_hold_up_no_other(
    desk: Desk, receiver: Receiver, gate: threading.Event
) -> None:
    def hang(handler: Handler) -> None:
        if not handler.path.endswith("/299"):
            gate.wait(60)
        status(204)(handler)

    receiver.otherwise = hang
    desk.start()
    register_many(desk, receiver)
    for one in range(60):
        desk.tell("hello", account=f"+{one}")
    receiver.wait_for(NEW_THREADS)
    desk.tell("hello", account="+299")
    eventually(lambda: any(post.path.endswith("/299") for post in receiver.posts), 30)


def test_three_hundred_that_hang_keep_nothing_from_a_receiver_that_answers(
    desk: Desk, receiver: Receiver, receive: Callable[[], Receiver], gate: threading.Event
) -> None:
    """Known or new: as many more than there are threads, told of the same event before it is."""
    receiver.otherwise = lambda handler: (gate.wait(60), status(204)(handler))[1]
    known, new = receive(), receive()
    known_hook = desk.register(known.url, account="+good")
    desk.start()
    for count in range(12):
        desk.tell("hello", account="+good")
        known.wait_for(count + 1)
    desk.wait_position(known_hook, 12)
    for one in range(MANY):
        desk.register(f"{receiver.url}/{one}", account=f"+{one // 10}")
    desk.register(new.url, account="+new")
    for one in range(MANY // 10):
        desk.tell("hello", account=f"+{one}")
    receiver.wait_for(NEW_THREADS)
    desk.tell("hello", account="+good")
    desk.tell("hello", account="+new")
    known.wait_for(13)
    new.wait_for(1)
    assert len(receiver.posts) < MANY, "they still wait for a thread"


def test_changes_that_follow_upon_each_other_are_looked_at_together(
    desk: Desk, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    roll = Ledger.roll

    def count(ledger: Ledger) -> str:
        looks.append(1)
        return roll(ledger)

    monkeypatch.setattr(Ledger, "roll", count)
    monkeypatch.setattr(couriers, "_REST", 20.0)
    desk.start()
    register_many(desk, receiver)
    assert len(looks) < MANY / 3


def test_there_can_be_a_thousand() -> None:
    assert registry.MOST >= 1000
