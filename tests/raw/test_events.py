"""GET /api/v1/events: signal-cli's server-sent events, and nothing is lost between two of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests

from tests.raw.conftest import ACCOUNT, Dialect, arrive
from tests.support import ScriptedDaemon, eventually

OTHER = "+4915167890"
SECONDS = 20


class Stream:
    """One client of the stream. It reads when the test wants the next event, and not before."""

    def __init__(self, answer: requests.Response) -> None:
        self.answer = answer
        self._lines = answer.iter_lines(chunk_size=1, decode_unicode=True)

    def lines(self) -> Iterator[str]:
        yield from self._lines

    def lines_until_data(self) -> list[str]:
        lines = [next(self._lines)]
        while not lines[-1].startswith("data:"):
            lines.append(next(self._lines))
        return lines

    def event(self) -> dict[str, str]:
        """The next event that is one, field by field."""
        event: dict[str, str] = {}
        for line in self._lines:
            if not line and "data" in event:
                return event
            if line and not line.startswith(":"):
                name, _, value = line.partition(":")
                event[name] = value
        raise AssertionError("the stream ended")

    def texts(self, count: int) -> list[str]:
        return [text_of(self.event()) for _ in range(count)]


def text_of(event: dict[str, str]) -> Any:
    return json.loads(event["data"])["envelope"]["dataMessage"]["message"]


@contextmanager
def opened(dialect: Dialect, query: str = "", **headers: str) -> Iterator[Stream]:
    url = f"{dialect.bridge.url}/api/v1/events{query}"
    with requests.get(url, headers=headers, stream=True, timeout=SECONDS) as answer:
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        yield Stream(answer)


def test_an_event_looks_like_signal_clis_and_has_an_id(
    dialect: Dialect, daemon: ScriptedDaemon
) -> None:
    with opened(dialect) as stream:
        arrive(daemon, ACCOUNT, "hello")
        lines = stream.lines_until_data()
    assert lines[-2] == "event:receive"
    assert lines[-3].startswith("id:")
    body = json.loads(lines[-1].removeprefix("data:"))
    assert set(body) == {"envelope", "account"}
    assert body["account"] == ACCOUNT


@pytest.mark.parametrize("query", ["?account=%2B4915112345", "?account=+4915112345"])
def test_an_account_is_named_with_either_plus(
    dialect: Dialect, daemon: ScriptedDaemon, query: str
) -> None:
    with opened(dialect, query) as stream:
        arrive(daemon, OTHER, "for the other")
        arrive(daemon, ACCOUNT, "for this one")
        assert stream.texts(1) == ["for this one"]


@pytest.mark.parametrize("query", ["", "?account="])
def test_without_an_account_it_is_all_of_them(
    dialect: Dialect, daemon: ScriptedDaemon, query: str
) -> None:
    with opened(dialect, query) as stream:
        arrive(daemon, ACCOUNT, "one")
        arrive(daemon, OTHER, "two")
        assert stream.texts(2) == ["one", "two"]


def test_an_unknown_account_is_400(dialect: Dialect) -> None:
    assert dialect.bridge.get("/api/v1/events?account=%2B4999").status_code == 400


def test_an_account_that_was_just_linked_is_known(dialect: Dialect, daemon: ScriptedDaemon) -> None:
    daemon.accounts.append("+4915100000")
    try:
        with opened(dialect, "?account=%2B4915100000"):
            pass
    finally:
        daemon.accounts.remove("+4915100000")


def test_it_begins_with_what_comes_now(dialect: Dialect, daemon: ScriptedDaemon) -> None:
    with opened(dialect) as first:
        arrive(daemon, ACCOUNT, "before")
        assert first.texts(1) == ["before"]
    with opened(dialect) as stream:
        arrive(daemon, ACCOUNT, "after")
        assert stream.texts(1) == ["after"]


def test_a_client_that_was_cut_off_gets_exactly_what_it_missed(
    dialect: Dialect, daemon: ScriptedDaemon
) -> None:
    with opened(dialect) as stream:
        arrive(daemon, ACCOUNT, "seen")
        last = stream.event()["id"]
    missed = [f"missed {number}" for number in range(50)]
    arrive(daemon, ACCOUNT, *missed)
    with opened(dialect, **{"Last-Event-ID": last}) as stream:
        assert stream.texts(50) == missed
        arrive(daemon, ACCOUNT, "now")
        assert stream.texts(1) == ["now"]


def test_two_clients_get_everything_each(dialect: Dialect, daemon: ScriptedDaemon) -> None:
    with opened(dialect) as one, opened(dialect) as two:
        arrive(daemon, ACCOUNT, "for both")
        assert one.texts(1) == two.texts(1) == ["for both"]


def test_only_what_signal_cli_sends_is_sent(dialect: Dialect, daemon: ScriptedDaemon) -> None:
    """The bridge says things of itself in its own feed, and not here."""
    feed = f"{dialect.bridge.url}/v1/events?types=account.*&limit=1000&after="
    seq = dialect.bridge.get("/v1/events?limit=1000").json()["next"]
    with opened(dialect) as stream:
        daemon.accounts.append("+4915199999")
        eventually(lambda: requests.get(f"{feed}{seq}", timeout=5).json()["events"], SECONDS)
        arrive(daemon, ACCOUNT, "a message")
        assert stream.texts(1) == ["a message"]
    daemon.accounts.remove("+4915199999")


def test_silence_is_filled_with_comments(dialect: Dialect) -> None:
    with opened(dialect) as stream:
        assert any(line.startswith(":") for line in stream.lines())
