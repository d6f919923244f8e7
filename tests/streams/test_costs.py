"""What reading costs the database, counted; and what a lease, a gap or an outage makes of it."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
from collections.abc import Iterator
from typing import Any, cast

import pytest
import sqlalchemy as sa
from flask import Response

from signal_bridge.clock import Deadline
from signal_bridge.errors import StoreUnavailable
from signal_bridge.feed.cursors import POLL, cursor_name
from signal_bridge.feed.event import Page
from signal_bridge.feed.filters import Filter
from signal_bridge.store import bells
from signal_bridge.store.tables import cursors as cursors_table
from signal_bridge.store.tables import pruned
from signal_bridge.web.streams import polling, reading, sse, websocket
from tests.rpc.far_end import InThread
from tests.streams.desk import ACCOUNT, MINE, PATH, Counts, Desk, texts
from tests.support import eventually


@pytest.fixture
def rare_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits is woken by bells alone."""
    monkeypatch.setattr(bells, "LOOK_SECONDS", 3600.0)


@contextlib.contextmanager
def polls_waiting(desk: Desk, count: int, **query: Any) -> Iterator[list[InThread]]:
    polls = [InThread(lambda: desk.poll(timeout=300, **query)) for _ in range(count)]
    eventually(lambda: len(desk.feed.watch._everybody()) == count)
    eventually(lambda: is_calm(desk.counts), what="polls that ask nothing any more")
    desk.counts.forget()
    yield polls


def is_calm(counts: Counts) -> bool:
    before = len(counts.statements)
    threading.Event().wait(0.2)
    return len(counts.statements) == before


# -- polls -----------------------------------------------------------------------------------------


def test_an_empty_poll_writes_nothing(desk: Desk) -> None:
    assert desk.poll() == []
    assert desk.poll(types="typing") == []
    assert desk.poll(timeout=1) == []
    assert desk.counts.commits == 0
    assert desk.positions() == {}


def test_a_poll_that_finds_something_commits_twice(desk: Desk) -> None:
    """To have the cursor for itself, and to move it and let go."""
    desk.tell("one", "two")
    desk.counts.forget()
    assert desk.poll() == ["one", "two"]
    assert desk.counts.commits == 2


def test_polls_that_wait_ask_nothing_of_the_database(desk: Desk, rare_looks: None) -> None:
    with polls_waiting(desk, 30) as polls:
        threading.Event().wait(1.0)
        assert desk.counts.statements == []
        desk.feed.close()
        assert [each.result() for each in polls] == [[]] * 30
        assert desk.counts.commits == 0


def test_one_of_those_who_wait_gets_the_message(desk: Desk, rare_looks: None) -> None:
    with polls_waiting(desk, 5) as polls:
        desk.tell("for one of you")
        eventually(lambda: sum(each.is_over() for each in polls) == 1)
        desk.feed.close()
        assert sorted(each.result() for each in polls) == [[]] * 4 + [["for one of you"]]


def test_a_poll_waits_for_another_that_is_about_to_let_go(desk: Desk, rare_looks: None) -> None:
    desk.tell("one", "two")
    other = desk.cursors.take(cursor_name(POLL, MINE), Deadline(0), ACCOUNT)
    assert other
    poll = InThread(desk.poll)
    eventually(lambda: desk.feed.watch._everybody())
    other.finish(1)
    assert poll.result() == ["two"]


def test_a_poll_that_waits_for_its_turn_reads_no_page_in_vain(
    desk: Desk, rare_looks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.tell("one", "two", "three")
    other = desk.cursors.take(cursor_name(POLL, MINE), Deadline(0), ACCOUNT)
    assert other
    read, limits = desk.feed.watch.read, list[int]()

    def noted(wanted: Filter, after: int, limit: int) -> Page:
        limits.append(limit)
        return read(wanted, after, limit)

    monkeypatch.setattr(desk.feed.watch, "read", noted)
    poll = InThread(desk.poll)
    eventually(lambda: len(limits) >= 2)
    other.finish(1)
    assert poll.result() == ["two", "three"]
    first, *while_waiting, last = limits
    assert set(while_waiting) == {1}
    assert first == last > 1


def test_a_poll_is_empty_when_the_other_took_all(desk: Desk, rare_looks: None) -> None:
    desk.tell("one", "two")
    other = desk.cursors.take(cursor_name(POLL, MINE), Deadline(0), ACCOUNT)
    assert other
    poll = InThread(desk.poll)
    eventually(lambda: desk.feed.watch._everybody())
    other.finish(2)
    assert poll.result() == []


def test_a_poll_gives_up_on_another_that_hands_over_slowly(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "GRACE_SECONDS", 0.1)
    desk.tell("one")
    other = desk.cursors.take(cursor_name(POLL, MINE), Deadline(0), ACCOUNT)
    assert other
    assert desk.poll() == []
    other.release()
    assert desk.poll() == ["one"]


def test_an_answer_that_breaks_off_is_given_again(desk: Desk) -> None:
    """The next poll need not wait for the lease to run out."""
    desk.tell("one")
    with desk.app.test_request_context(f"{PATH}?timeout=0"):
        response = cast(Response, desk.app.full_dispatch_request())
        response.close()
    assert desk.poll() == ["one"]


def test_an_answer_of_large_events_is_whole_and_made_page_by_page(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signal_bridge.feed.query.PAGE_BYTES", 3000)
    letters = [letter * 1000 for letter in "abcdefg"]
    desk.tell(*letters)
    answer = desk.answer(max_messages=5)
    assert (texts(answer), answer.headers.get("Content-Length")) == (letters[:5], None)
    assert desk.poll() == letters[5:]
    page = desk.client.get("/v1/events").json
    assert (len(page["events"]), page["lag"]) == (3, 4)
    with desk.app.test_request_context():
        told = b"".join(itertools.islice(stream_of(desk), 4))
    assert len(seqs_in(told)) == 7


def stream_of(desk: Desk) -> Iterator[bytes]:
    return iter(cast(Any, sse.stream(desk.reader(), "receive", lambda event: b"x").response))


@contextlib.contextmanager
def slow_answer(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, client: str = "127.0.0.1"
) -> Iterator[Iterator[bytes]]:
    """A backlog of several pages on its way to a client, in many parts; a lease lasts not long."""
    monkeypatch.setattr("signal_bridge.feed.cursors._READING_SECONDS", 0.6)
    desk.tell(*(f"{number} " + "x" * 4000 for number in range(501)))
    environ = {"REMOTE_ADDR": client}
    with desk.app.test_request_context(f"{PATH}?timeout=0", environ_base=environ):
        response = cast(Response, desk.app.full_dispatch_request())
        yield iter(cast(Any, response.response))
        response.close()


def read_slowly(parts: Iterator[bytes], until: InThread) -> None:
    """One part after the other, until the poll of somebody else is over."""
    while not until.is_over():
        assert next(parts)
        threading.Event().wait(0.1)


def test_who_reads_a_long_answer_keeps_others_from_reading_the_same(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "GRACE_SECONDS", 1.5)
    with slow_answer(desk, monkeypatch) as parts:
        other = InThread(lambda: desk.poll(max_messages=1))
        read_slowly(parts, until=other)
        assert other.result() == []


def test_who_reads_a_long_answer_for_too_long_is_alone_no_more(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "_ALONE_SECONDS", 0.0)
    with slow_answer(desk, monkeypatch) as parts:
        other = InThread(lambda: desk.poll(max_messages=1))
        read_slowly(parts, until=other)
        assert str(other.result()[0]).startswith("0 ")
        assert desk.positions()[cursor_name(POLL, MINE)] == 1
        list(parts)
    assert desk.positions()[cursor_name(POLL, MINE)] == 1  # the slow one moves nothing any more


def test_who_has_an_answer_under_way_lets_others_go_first(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client with many polls that reads slowly has the cursor once, and not all the time."""
    monkeypatch.setattr(polling, "_ALONE_SECONDS", 0.0)
    with slow_answer(desk, monkeypatch, client="192.0.2.1") as parts:
        others = [InThread(lambda: poll_from(desk, "192.0.2.1")) for _ in range(4)]
        eventually(lambda: len(desk.bridge.turns._waiting) == 4)
        rightful = InThread(lambda: poll_from(desk, "192.0.2.2"))
        assert rightful.result()
        assert not any(each.is_over() for each in others)
        assert next(parts)
        desk.feed.close()
        for each in others:
            each.result()


def poll_from(desk: Desk, client: str) -> list[str | None]:
    query = {"timeout": 30, "max_messages": 1}
    environ = {"REMOTE_ADDR": client}
    return texts(desk.client.get(PATH, query_string=query, environ_base=environ))


def test_an_answer_that_cannot_be_noted_is_an_answer(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    desk.tell("one")

    def away(*_: object) -> None:
        raise StoreUnavailable("it is away")

    with monkeypatch.context() as patch:
        patch.setattr("signal_bridge.feed.cursors.Reading.finish", away)
        assert desk.poll() == ["one"]
    assert "the next gets the same again: it is away" in caplog.text


def test_what_was_looked_through_in_vain_is_noted_when_it_was_much(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A search for senders has no index."""
    monkeypatch.setattr(reading, "_FAR", 9)
    name = cursor_name(POLL, Filter(ACCOUNT, senders=("+499",)))
    desk.tell(*"abcdefghi")
    desk.counts.forget()
    assert desk.poll(**{"from": "+499"}) == []
    assert desk.counts.commits == 0
    desk.tell("j")
    assert desk.poll(**{"from": "+499"}) == []
    assert desk.positions() == {name: 10}
    desk.tell("found", sender="+499")
    assert desk.poll(**{"from": "+499"}) == ["found"]


def test_what_another_poll_hands_over_was_not_looked_through_in_vain(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_FAR", 0)
    monkeypatch.setattr(polling, "GRACE_SECONDS", 0.1)
    desk.tell("one", sender="+499")
    name = cursor_name(POLL, Filter(ACCOUNT, senders=("+499",)))
    other = desk.cursors.take(name, Deadline(0), ACCOUNT)
    assert other
    assert desk.poll(**{"from": "+499"}) == []
    other.release()
    assert desk.poll(**{"from": "+499"}) == ["one"]


def test_the_page_of_a_sparse_filter_goes_on_where_it_has_looked(desk: Desk) -> None:
    desk.tell(*"abc")
    page = desk.client.get("/v1/events", query_string={"from": "+499"}).json
    assert page == {"events": [], "next": 3, "lag": 0}


def test_the_lag_behind_a_page_of_one_sender(desk: Desk) -> None:
    desk.tell("a", "b", "c")
    page = desk.client.get("/v1/events", query_string={"from": "+491", "limit": 1}).json
    assert (len(page["events"]), page["next"], page["lag"]) == (1, 1, 2)


# -- consumers -------------------------------------------------------------------------------------


def test_an_acknowledgement_ends_at_the_newest_event(desk: Desk) -> None:
    desk.tell("one")
    for seq, status in ((2**62, 204), (2**63, 400), (-(2**63) - 1, 400), (10**30, 400)):
        answer = desk.client.post("/v1/events/ack", data=f'{{"consumer": "me", "seq": {seq}}}')
        assert answer.status_code == status
    desk.tell("two")
    page = desk.client.get("/v1/events", query_string={"consumer": "me"}).json
    assert [event["seq"] for event in page["events"]] == [2]


def test_a_thousand_consumers_are_listed_in_a_handful_of_statements(desk: Desk) -> None:
    desk.tell("one", "two", "three")
    with desk.store.write() as unit:
        unit.execute(
            sa.insert(cursors_table),
            [{"name": f"consumer:{n:04}", "account": "", "position": n % 4} for n in range(1000)],
        )
    desk.counts.forget()
    listed = desk.client.get("/v1/events/consumers").json
    assert listed == [{"consumer": f"{n:04}", "seq": n % 4, "lag": 3 - n % 4} for n in range(1000)]
    assert len(desk.counts.statements) <= 5


# -- streams ---------------------------------------------------------------------------------------


def test_what_was_not_told_cannot_have_arrived(desk: Desk) -> None:
    desk.tell("one", "two", "three")
    reader = desk.reader()
    with reader.following() as follower:
        reader.next(follower, 2)
        reader.note_arrival(3)
        reader.note_arrival(2**62)
        assert desk.cursors.position(reader.cursor or "") == 0
        reader.note_arrival(2)
    assert desk.positions() == {reader.cursor: 2}


def test_what_has_arrived_stays_so(desk: Desk) -> None:
    desk.tell("one", "two")
    reader = desk.reader()
    with reader.following() as follower:
        reader.next(follower, 2)
        reader.note_arrival(2)
        reader.note_arrival(1)
    assert desk.positions() == {reader.cursor: 2}


def test_marks_are_written_together(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signal_bridge.feed.cursors._GATHER_SECONDS", 3600.0)
    desk.tell(*map(str, range(100)))
    reader = desk.reader()
    with reader.following() as follower:
        reader.next(follower, 100)
        desk.counts.forget()
        for seq in range(1, 101):
            reader.note_arrival(seq)
        assert desk.counts.commits == 0
    assert desk.counts.commits == 1


def test_a_stream_that_is_told_nothing_marks_nothing(desk: Desk) -> None:
    reader = desk.reader(Filter(ACCOUNT, ("typing",)))
    with reader.following() as follower:
        desk.tell("not for it")
        eventually(lambda: not reader.next(follower, 10).tells and reader._read_through == 1)
        desk.counts.forget()
        reader.note_arrival(1)
    assert desk.counts.commits == 0
    assert desk.positions() == {}


def test_each_gap_is_told_once_also_when_the_stream_is_open(desk: Desk) -> None:
    desk.tell(*"abcdef")
    reader = desk.reader()
    with reader.following() as follower:
        assert [event.seq for event in reader.next(follower, 1)] == [1]
        desk.prune(through=3)
        page = reader.next(follower, 1)
        assert (page.gap and page.gap.last_seq, [event.seq for event in page]) == (3, [4])
        assert reader.next(follower, 1).gap is None


def test_a_gap_that_reaches_beyond_a_page_is_told_once(desk: Desk) -> None:
    """Of another kind more is kept."""
    desk.tell(*"abc")
    with desk.store.write() as unit:
        gone = {"account": ACCOUNT, "kind": "typing", "through_seq": 3,
                "removed": 0, "unread": 0, "parked": 0}  # fmt: skip
        unit.execute(sa.insert(pruned), gone)
    reader = desk.reader()
    with reader.following() as follower:
        gaps = [reader.next(follower, 1).gap for _ in range(3)]
    assert [gap and gap.last_seq for gap in gaps] == [3, None, None]


def test_an_event_stream_tells_a_gap_before_what_comes_behind_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "_BATCH", 2)
    desk.tell(*"abcdef")
    with desk.app.test_request_context():
        told = iter(sse.stream(desk.reader(), "receive", lambda event: b"x").response)
        assert next(told) == b"retry: 3000\n\n"
        assert seqs_in(next(told)) == [b"id:1", b"id:2"]
        desk.prune(through=4)
        behind = next(told)
        assert behind.startswith(b'event: gap\ndata: {"from":3,"to":4}\n\n')
        assert seqs_in(behind) == [b"id:5", b"id:6"]
        cast(Any, told).close()


def test_a_gap_with_nothing_behind_it_says_where_to_go_on(desk: Desk) -> None:
    desk.tell("a", "b")
    desk.tell("c", account="+49another")
    desk.prune(through=2)
    with desk.app.test_request_context():
        told = iter(sse.stream(desk.reader(), "receive", lambda event: b"x").response)
        assert next(told) == b"retry: 3000\n\n"
        assert next(told) == b'id:2\nevent: gap\ndata: {"from":1,"to":2}\n\n'
        cast(Any, told).close()


def seqs_in(data: Any) -> list[bytes]:
    return [line for line in data.split(b"\n") if line.startswith(b"id:")]


class Away:
    """A follower of a database that is away, until it is not."""

    def __init__(self) -> None:
        self.is_away = True

    def read(self, after: int, _limit: int) -> Page:
        if self.is_away:
            raise StoreUnavailable("it is away")
        return Page((), after)


def test_a_short_outage_is_waited_out(desk: Desk) -> None:
    reader, follower = desk.reader(), cast(Any, Away())
    assert reader.patience_seconds(25) == 25
    assert not reader.next(follower, 1).tells
    assert reader.is_waiting_for_database
    assert reader.patience_seconds(25) <= 1
    follower.is_away = False
    assert not reader.next(follower, 1).tells
    assert not reader.is_waiting_for_database


def test_a_long_outage_ends_a_stream(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_OUTAGE_SECONDS", 0.0)
    reader = desk.reader()
    with pytest.raises(StoreUnavailable):
        reader.next(cast(Any, Away()), 1)


def test_who_is_too_slow_is_told_to_go_on_behind_what_was_sent_whole(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "_PAUSE_SECONDS", 0.1)
    monkeypatch.setattr(websocket, "_BATCH", 1)
    goodbyes: list[str] = []
    monkeypatch.setattr(
        websocket._Session, "_say_goodbye", lambda _self, _code, reason: goodbyes.append(reason)
    )
    desk.tell("small", "x" * 10_000_000)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        websocket._Session(ours, desk.reader()).run(b"")
    assert goodbyes == ["too slow; go on after=1"]
