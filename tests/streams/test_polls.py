"""Polls of the whole bridge: each message once, none held back by somebody else who waits."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.journeys import http
from tests.journeys.reading import text_of, wait_for_a_reader, waiting_readers
from tests.streams.conftest import Stage, a_stage
from tests.support import eventually
from tests.support.databases import Database, change

SECONDS = 20
TYPING = {"source": "+491", "sourceNumber": "+491", "timestamp": 1, "typingMessage": {}}


def poll(stage: Stage, account: str, timeout: int = 0, **query: Any) -> list[str | None]:
    """The texts of one poll, on a connection of its own."""
    answer = stage.bridge.get(f"/v1/receive/{account}", params={"timeout": timeout, **query})
    assert answer.status_code == 200, answer.text
    return [text_of(element) for element in answer.json()]


@contextlib.contextmanager
def waiting(stage: Stage, path: str) -> Iterator[socket.socket]:
    """A client that has asked and waits."""
    with http.connect(stage.bridge) as connection:
        connection.sendall(http.head("GET", path))
        wait_for_a_reader(stage.bridge)
        yield connection


def wait_until_nobody_waits(stage: Stage) -> None:
    eventually(lambda: waiting_readers(stage.bridge) == 0, SECONDS, "no reader that waits")


# -- one reader after the other --------------------------------------------------------------------


def test_a_poll_is_never_empty_while_a_message_waits(database: Database) -> None:
    """The client has its answer before the bridge has noted that, and asks another worker."""
    with a_stage(database, BRIDGE_WORKERS=2) as stage:
        got = []
        for number in range(200):
            stage.receive("+49160", f"message {number}")
            got.append(poll(stage, "+49160"))
    assert got == [[f"message {number}"] for number in range(200)]


def test_what_a_worker_was_handing_over_when_it_died_comes_with_the_next_poll(
    database: Database,
) -> None:
    texts = [f"{number} " + "x" * 60_000 for number in range(500)]  # more than the sockets hold
    with a_stage(database) as stage:
        stage.receive("+49160", *texts)
        with http.connect(stage.bridge) as slow:
            slow.sendall(http.head("GET", "/v1/receive/+49160?timeout=0"))
            assert slow.recv(1)
            master = stage.bridge.child("gunicorn")
            workers = [one for one in stage.bridge.children() if one.parent_pid == master.pid]
            for worker in workers:
                worker.kill()
            stage.bridge.wait_open()
            assert poll(stage, "+49160") == texts


def test_a_backlog_of_many_pages_comes_whole_and_once(stage: Stage, account: str) -> None:
    texts = [f"message {number}" for number in range(1_200)]
    stage.receive(account, *texts)
    assert poll(stage, account, max_messages=700) == texts[:700]
    assert poll(stage, account) == texts[700:]
    assert poll(stage, account) == []


def test_polls_that_wait_together_share_what_comes(stage: Stage, account: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        polls = [pool.submit(poll, stage, account, 3, max_messages=1) for _ in range(8)]
        eventually(lambda: waiting_readers(stage.bridge) == 8, SECONDS)
        stage.receive(account, "one", "two", "three")
        got = [each.result() for each in polls]
    assert sorted(str(text) for texts in got for text in texts) == ["one", "three", "two"]
    assert poll(stage, account) == []


# -- clients that go away --------------------------------------------------------------------------


@pytest.mark.parametrize("leave", [http.vanish, socket.socket.close])
def test_who_hangs_up_while_it_waits_ends_the_wait_and_uses_nothing_up(
    stage: Stage, account: str, leave: Any
) -> None:
    with waiting(stage, f"/v1/receive/{account}?timeout=300") as client:
        leave(client)
        wait_until_nobody_waits(stage)
    stage.receive(account, "for the rightful reader")
    assert poll(stage, account) == ["for the rightful reader"]


def test_a_page_of_the_feed_is_not_waited_for_when_nobody_wants_it(
    stage: Stage, account: str
) -> None:
    with waiting(stage, f"/v1/events?account=%2B{account[1:]}&timeout=300") as client:
        client.close()
        wait_until_nobody_waits(stage)


def test_who_closed_only_its_own_side_gets_what_there_is_and_it_stays_unread(
    stage: Stage, account: str
) -> None:
    """It may be gone: what is sent then only seems to arrive."""
    stage.receive(account, "to be had")
    with http.connect(stage.bridge) as client:
        request = http.head("GET", f"/v1/receive/{account}?timeout=0")
        client.sendall(request, socket.MSG_MORE)  # it goes together with the end
        client.shutdown(socket.SHUT_WR)
        status, body = http.answer(client)
    assert (status, b"to be had" in body) == (200, True)
    assert poll(stage, account) == ["to be had"]


def test_a_poll_of_a_stranger_that_waits_keeps_nothing_from_the_reader(
    stage: Stage, account: str
) -> None:
    with waiting(stage, f"/v1/receive/{account}?timeout=300&types=call"):
        stage.receive(account, "waiting")
        assert poll(stage, account) == ["waiting"]


# -- filters ---------------------------------------------------------------------------------------


def test_a_filter_uses_up_nothing_that_it_did_not_show(stage: Stage, account: str) -> None:
    stage.receive(account, "first")
    stage.daemon.notify(account, TYPING)
    assert len(poll(stage, account, timeout=10, types="typing")) == 1
    assert poll(stage, account, types="typing") == []
    assert "first" in poll(stage, account)


def test_senders_are_a_filter_too(stage: Stage, account: str) -> None:
    stage.receive(account, "from one", sender="+4917000001")
    stage.receive(account, "from two", sender="+4917000002")
    query = {"from": "+4917000002"}
    assert poll(stage, account, **query) == ["from two"]
    assert poll(stage, account, **query) == []
    assert poll(stage, account) == ["from one", "from two"]


def test_a_new_filter_begins_at_most_an_hour_back(stage: Stage, account: str) -> None:
    stage.receive(account, "last month's")
    assert poll(stage, account) == ["last month's"]
    change(stage.bridge, "UPDATE events SET received_at_ms = 1")
    stage.receive(account, "today's")
    assert poll(stage, account) == ["today's"]
    assert poll(stage, account, types="message") == ["today's"]


# -- what is no longer kept ------------------------------------------------------------------------


def test_a_gap_is_told_with_what_comes_behind_it(stage: Stage, account: str) -> None:
    stage.receive(account, "lost")
    lost = stage.prune(account)
    stage.receive(account, "kept")
    answer = stage.bridge.get(f"/v1/receive/{account}?timeout=0")
    assert answer.headers["X-Signal-Bridge-Gap"] == f"1-{lost}"
    assert [text_of(element) for element in answer.json()] == ["kept"]
    assert "X-Signal-Bridge-Gap" not in stage.bridge.get(f"/v1/receive/{account}?timeout=0").headers


def test_a_gap_with_nothing_behind_it_is_told_once(stage: Stage, account: str) -> None:
    stage.receive(account, "lost")
    lost = stage.prune(account)
    answers = [stage.bridge.get(f"/v1/receive/{account}?timeout=1") for _ in range(2)]
    assert [answer.json() for answer in answers] == [[], []]
    assert answers[0].headers["X-Signal-Bridge-Gap"] == f"1-{lost}"
    assert "X-Signal-Bridge-Gap" not in answers[1].headers


# -- texts that no database holds ------------------------------------------------------------------


NULS = (
    "/v1/receive/%2B49%00",
    "/v1/receive/{account}?from=%00",
    "/v1/events?from=%2B49%00",
    "/v1/events?account=%00",
    "/v1/events?after=%00",
    "/v1/events?types=%00",
    "/api/v1/events?account=%00",
)
NULS_OF_PAGES = (
    "/v1/events?consumer=a%00",
    "/v1/events?limit=%00",
    "/v1/receive/{account}?timeout=%00",
)


@pytest.mark.parametrize(
    ("accept", "path"),
    [("application/json", path) for path in (*NULS, *NULS_OF_PAGES)]
    + [("text/event-stream", path) for path in NULS],
)
def test_a_nul_is_the_callers_mistake(stage: Stage, account: str, path: str, accept: str) -> None:
    answer = stage.bridge.get(path.format(account=account), headers={"Accept": accept})
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]


# -- the end ---------------------------------------------------------------------------------------


def test_thirty_polls_that_wait_are_sent_home_by_a_stop(database: Database) -> None:
    answers: list[tuple[int, str]] = []

    def wait_for_nothing() -> None:
        answer = stage.bridge.get("/v1/receive/+49161?timeout=300", timeout=60)
        answers.append((answer.status_code, answer.text))

    with a_stage(database) as stage:
        polls = [threading.Thread(target=wait_for_nothing) for _ in range(30)]
        for each in polls:
            each.start()
        eventually(lambda: waiting_readers(stage.bridge) == 30, SECONDS)
        stage.bridge.stop()
        for each in polls:
            each.join(SECONDS)
    assert answers == [(200, "[]")] * 30
