"""The feed on disk: appended in order, once, and read from anywhere."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from signal_bridge.clock import Deadline
from signal_bridge.errors import StoreUnavailable
from signal_bridge.feed import feed as module
from signal_bridge.feed import query
from signal_bridge.feed.envelope import arrival_of
from signal_bridge.feed.event import Event
from signal_bridge.feed.feed import Feed
from signal_bridge.feed.filters import Filter
from signal_bridge.feed.watch import Tail
from signal_bridge.store.engine import Store
from signal_bridge.store.migrations import migrate
from signal_bridge.store.tables import events
from tests.feed.envelopes import ACCOUNT, data, received, text
from tests.rpc.far_end import InThread
from tests.support import eventually

ROOT = Path(__file__).parents[2]
MINE = Filter(ACCOUNT)
ANOTHER = "+15559990000"

APPEND = """
import sys
from signal_bridge.feed.envelope import arrival_of
from signal_bridge.feed.feed import Feed
from signal_bridge.feed.watch import Tail
from signal_bridge.store.engine import Store
from tests.feed.envelopes import text
Feed(Store(sys.argv[1])).append([arrival_of(text(word)) for word in sys.argv[2:]])
"""


def append(feed: Feed, *params: object) -> int:
    return feed.append([arrival_of(one) for one in params])


def words(feed: Feed, after: int = 0, limit: int = 1000, wanted: Filter = MINE) -> list[str]:
    return [
        json.loads(event.payload)["envelope"]["dataMessage"]["message"]
        for event in feed.read(wanted, after, limit)
    ]


def followers(feed: Feed) -> int:
    return sum(len(group) for group in feed.watch._followers.values())


def tail_of(feed: Feed) -> Tail:
    tail = feed.watch._tail
    assert tail
    return tail


def append_elsewhere(database_url: str, *words: str) -> None:
    """From a process of its own."""
    subprocess.run([sys.executable, "-c", APPEND, database_url, *words], cwd=ROOT, check=True)


# -- appending ---------------------------------------------------------------------------------


def test_events_are_read_in_the_order_in_which_they_came(feed: Feed) -> None:
    assert append(feed, text("c"), text("a")) == 2
    assert append(feed, text("b")) == 1
    assert words(feed) == ["c", "a", "b"]


def test_the_same_line_three_times_is_one_event(feed: Feed) -> None:
    assert append(feed, text("a"), text("a")) == 1
    assert append(feed, text("a")) == 0
    assert words(feed) == ["a"]


def test_a_redelivery_with_other_server_times_is_one_event(feed: Feed) -> None:
    again = data(message="hi")
    again["envelope"].update(serverReceivedTimestamp=1, serverDeliveredTimestamp=2)
    append(feed, data(message="hi"))
    assert append(feed, again, data(message="new")) == 1
    assert words(feed) == ["hi", "new"]
    assert json.loads(feed.read(MINE, 0, 1)[0].payload) == data(message="hi")


def test_two_contents_of_one_millisecond_are_two_events(feed: Feed) -> None:
    calls = [received(callMessage={"iceUpdateMessages": [{"id": 1, "opaque": o}]}) for o in "ab"]
    assert append(feed, *calls) == 2
    assert append(feed, text("a"), text("b")) == 2


def test_an_empty_batch_is_nothing(feed: Feed) -> None:
    assert append(feed) == 0
    assert feed.newest_seq() == 0


def test_a_batch_of_thousands_is_kept_in_order(feed: Feed) -> None:
    batch = [text(str(number), timestamp=number) for number in range(2000)]
    assert append(feed, *batch) == 2000
    assert words(feed, limit=10_000) == [str(number) for number in range(2000)]


def test_a_batch_that_fails_leaves_nothing_behind(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise RuntimeError("half way")

    with monkeypatch.context() as patch:
        patch.setattr(module, "sum", fail, raising=False)
        with pytest.raises(RuntimeError, match="half way"):
            append(feed, text("a"))
    assert words(feed) == []
    assert append(feed, text("a")) == 1


def test_what_was_appended_is_there_after_a_restart(feed: Feed, database_url: str) -> None:
    append(feed, text("a"))
    reopened = Feed(Store(database_url))
    assert words(reopened) == ["a"]
    assert append(reopened, text("a"), text("b")) == 1


# -- reading -----------------------------------------------------------------------------------


def test_reading_begins_after_a_seq_and_ends_at_a_limit(feed: Feed) -> None:
    append(feed, *(text(word) for word in "abcde"))
    seqs = [event.seq for event in feed.read(MINE, 0, 100)]
    assert seqs == sorted(set(seqs))
    assert words(feed, after=seqs[1], limit=2) == ["c", "d"]
    assert words(feed, after=seqs[-1]) == []


def test_each_account_reads_its_own(feed: Feed) -> None:
    append(feed, text("mine"), text("other", account=ANOTHER))
    assert words(feed) == ["mine"]
    assert words(feed, wanted=Filter(ANOTHER)) == ["other"]
    assert words(feed, wanted=Filter()) == ["mine", "other"]


def test_a_reader_may_ask_for_kinds_and_senders(feed: Feed) -> None:
    append(
        feed,
        data(message="from Alice"),
        received(sourceUuid="x", sourceNumber="+1999", dataMessage={"message": "from another"}),
        received(typingMessage={"action": "STARTED"}),
    )
    assert words(feed, wanted=Filter(kinds=("message",))) == ["from Alice", "from another"]
    assert words(feed, wanted=Filter(kinds=("message",), senders=("+1999",))) == ["from another"]
    assert words(feed, wanted=Filter(kinds=("message",), senders=("x",))) == ["from another"]
    assert len(feed.read(Filter(kinds=("typing",)), 0, 10)) == 1


def test_the_newest_seq_is_that_of_the_last_event(feed: Feed) -> None:
    assert feed.newest_seq() == 0
    append(feed, text("a"), text("b"))
    assert feed.newest_seq() == feed.read(MINE, 0, 100)[-1].seq


def test_a_seq_is_never_used_again(feed: Feed, store: Store) -> None:
    append(feed, text("a"), text("b"))
    last = feed.newest_seq()
    with store.write() as connection:
        connection.execute(sa.delete(events))
    append(feed, text("c"))
    assert feed.newest_seq() > last


# -- waiting -----------------------------------------------------------------------------------


def wait(feed: Feed, seconds: float = 60, after: int = 0) -> list[str]:
    found = feed.read_or_wait(MINE, after, 100, Deadline(seconds))
    return [json.loads(event.payload)["envelope"]["dataMessage"]["message"] for event in found]


def test_what_is_there_is_given_without_waiting(feed: Feed) -> None:
    append(feed, text("a"))
    assert wait(feed, seconds=0) == ["a"]


def test_a_wait_ends_with_its_deadline(feed: Feed) -> None:
    append(feed, text("a"))
    assert wait(feed, seconds=0.05, after=feed.newest_seq()) == []
    assert wait(feed, seconds=0, after=feed.newest_seq()) == []


def test_a_wait_ends_with_a_commit_of_the_same_process(feed: Feed) -> None:
    waiting = InThread(wait, feed)
    eventually(lambda: followers(feed) == 1, what="a reader that waits")
    append(feed, text("a"))
    assert waiting.result() == ["a"]


def test_a_wait_ends_with_a_commit_of_another_process(feed: Feed, database_url: str) -> None:
    append(feed, text("old"))
    waiting = InThread(wait, feed, 60, feed.newest_seq())
    append_elsewhere(database_url, "new")
    assert waiting.result() == ["new"]


def test_many_who_wait_are_woken_by_one_commit_and_one_thread_looks(
    feed: Feed,
) -> None:
    waiting = [InThread(wait, feed) for _ in range(20)]
    eventually(lambda: followers(feed) == 20, what="readers that wait")
    assert sum(t.name == "bells" for t in threading.enumerate()) == 1
    append(feed, text("a"))
    assert [one.result() for one in waiting] == [["a"]] * 20


def test_a_commit_for_somebody_else_does_not_end_a_wait(feed: Feed) -> None:
    waiting = InThread(wait, feed)
    eventually(lambda: followers(feed) == 1, what="a reader that waits")
    append(feed, text("other", account=ANOTHER))
    eventually(lambda: tail_of(feed).newest > 0, what="the commit to be seen")
    assert not waiting.is_over()
    append(feed, text("mine"))
    assert waiting.result() == ["mine"]


def test_a_commit_between_the_read_and_the_wait_is_not_missed(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, reads = feed.read, []

    def read_and_then_somebody_commits(*arguments: object) -> object:
        found = read(*arguments)  # type: ignore[arg-type]
        if not reads:
            append(feed, text("between"))
        reads.append(found)
        return found

    monkeypatch.setattr(feed, "read", read_and_then_somebody_commits)
    assert wait(feed) == ["between"]
    assert len(reads) >= 2


def test_a_wait_ends_when_the_process_is_closing(feed: Feed) -> None:
    waiting = InThread(wait, feed, 3600)
    eventually(lambda: followers(feed) == 1, what="a reader that waits")
    feed.close()
    assert waiting.result() == []
    assert wait(feed, 3600) == []


def test_nobody_looks_when_nobody_waits(feed: Feed) -> None:
    append(feed, text("a"))
    wait(feed)
    waiting = InThread(wait, feed, 0.05, feed.newest_seq())
    assert waiting.result() == []
    assert followers(feed) == 0
    assert feed.watch._tail is None


def test_a_wait_goes_on_after_the_store_was_away_for_a_moment(
    feed: Feed, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, failed, newest = store.read, [], feed.newest_seq()

    def fail_on_the_thread_that_looks() -> object:
        if threading.current_thread().name != "bells":
            return read()
        failed.append(True)
        raise StoreUnavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(store, "read", fail_on_the_thread_that_looks)
        waiting = InThread(wait, feed, 60, newest)
        eventually(lambda: failed, what="a look that fails")
    append(feed, text("a"))
    assert waiting.result() == ["a"]


def test_a_reader_is_told_when_the_store_is_away(feed: Feed, tmp_path: Path) -> None:
    away = Feed(Store("sqlite:////nonexistent/bridge.db"))
    with pytest.raises(StoreUnavailable):
        away.read_or_wait(MINE, 0, 10, Deadline(60))


def test_several_processes_append_and_every_event_is_there_once(
    feed: Feed, database_url: str, store: Store
) -> None:
    migrate(store)
    names = [f"{process}-{number}" for process in range(3) for number in range(20)]
    processes = [
        subprocess.Popen([sys.executable, "-c", APPEND, database_url, *names[at::3]], cwd=ROOT)
        for at in range(3)
    ]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert sorted(words(feed)) == sorted(names)


# -- how much one page holds -------------------------------------------------------------------


def pages(feed: Feed, limit: int) -> list[list[str]]:
    """Every page until one is not full."""
    found, after = [], 0
    while True:
        page = feed.read(MINE, after, limit)
        found.append([text_in(event)[:1] for event in page])
        if not page.is_full:
            return found
        after = page.through


def text_in(event: Event) -> str:
    return str(json.loads(event.payload)["envelope"]["dataMessage"]["message"])


def test_a_page_of_large_events_has_few_and_says_that_there_are_more(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query, "PAGE_BYTES", 3000)
    append(feed, *(text(letter + "x" * 1000) for letter in "abcdefg"))
    assert pages(feed, 100) == [["a", "b", "c"], ["d", "e", "f"], ["g"]]
    assert pages(feed, 2) == [["a", "b"], ["c", "d"], ["e", "f"], ["g"]]


def test_what_is_beyond_a_page_does_not_even_leave_the_database(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query, "PAGE_BYTES", 3000)
    append(feed, *(text(letter + "x" * 1000) for letter in "abcdefg"))
    with feed._store.read() as connection:
        found = connection.execute(query.page(MINE), query.values(MINE, 0, 100))
        assert len(found.all()) == 3


def test_an_event_larger_than_a_page_is_one(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query, "PAGE_BYTES", 1)
    append(feed, text("a"), text("b"))
    assert pages(feed, 100) == [["a"], ["b"], []]


def test_a_page_that_ends_with_the_last_event_may_be_full(feed: Feed) -> None:
    append(feed, text("a"), text("b"))
    assert pages(feed, 2) == [["a", "b"], []]
    assert pages(feed, 3) == [["a", "b"]]


def test_followers_of_large_events_are_woken_for_all_of_them(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query, "PAGE_BYTES", 1)
    with feed.following(MINE) as follower:
        append(feed, text("a"), text("b"), text("c"))
        found: list[str] = []
        while len(found) < 3:
            assert follower.wait(Deadline(20))
            while page := follower.read(len(found), 10):
                found += map(text_in, page)
    assert found == ["a", "b", "c"]
