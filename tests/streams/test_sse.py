"""The feed as server-sent events."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from tests.streams.conftest import Stage

WAIT = 15


@contextmanager
def opened(stage: Stage, path: str, **headers: str) -> Iterator[Iterator[dict[str, str]]]:
    headers = {"Accept": "text/event-stream", **headers}
    with requests.get(
        stage.bridge.url + path, headers=headers, stream=True, timeout=WAIT
    ) as answer:
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        yield events_in(answer)


def events_in(answer: requests.Response) -> Iterator[dict[str, str]]:
    """The events, as the specification reads them; comments are left out."""
    event: dict[str, str] = {}
    for line in answer.iter_lines(chunk_size=1, decode_unicode=True):
        if not line:
            if "data" in event:
                yield event
            event = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(":")
            event[name] = value.removeprefix(" ")


def text_of(event: dict[str, str]) -> Any:
    return json.loads(event["data"])["envelope"]["dataMessage"]["message"]


def test_the_backlog_comes_first_and_then_what_arrives(stage: Stage, account: str) -> None:
    stage.receive(account, "one", "two")
    with opened(stage, f"/v1/receive/{account}") as events:
        assert [text_of(next(events)) for _ in range(2)] == ["one", "two"]
        stage.receive(account, "three")
        assert text_of(next(events)) == "three"


def test_a_client_cut_off_goes_on_with_last_event_id(stage: Stage, account: str) -> None:
    stage.receive(account, "one", "two", "three")
    with opened(stage, f"/v1/receive/{account}") as events:
        first = next(events)
    assert first["event"] == "receive"
    with opened(stage, f"/v1/receive/{account}", **{"Last-Event-ID": first["id"]}) as events:
        assert [text_of(next(events)) for _ in range(2)] == ["two", "three"]


def test_the_id_is_the_seq_of_the_feed(stage: Stage, account: str) -> None:
    stage.receive(account, "one")
    page = stage.bridge.get(f"/v1/events?account=%2B{account[1:]}").json()
    with opened(stage, f"/v1/receive/{account}?after=0") as events:
        assert int(next(events)["id"]) == page["events"][0]["seq"]


def test_headers_come_at_once_though_nothing_arrives(stage: Stage, account: str) -> None:
    with opened(stage, f"/v1/receive/{account}"):
        pass


def test_the_whole_feed_can_be_streamed_with_numbers_and_types(stage: Stage, account: str) -> None:
    stage.receive(account, "for the feed")
    path = f"/v1/events?account=%2B{account[1:]}&types=message&after=0"
    with opened(stage, path) as events:
        event = json.loads(next(events)["data"])
    assert event["type"] == "message"
    assert event["seq"] > 0


def test_polling_takes_nothing_from_a_stream(stage: Stage, account: str) -> None:
    stage.receive(account, "for both")
    assert len(stage.bridge.get(f"/v1/receive/{account}").json()) == 1
    with opened(stage, f"/v1/receive/{account}") as events:
        assert text_of(next(events)) == "for both"


def test_what_is_no_longer_kept_is_an_event_of_its_own(stage: Stage, account: str) -> None:
    stage.receive(account, "lost")
    lost = stage.prune(account)
    stage.receive(account, "kept")
    with opened(stage, f"/v1/receive/{account}") as events:
        gap = next(events)
        assert (gap["event"], json.loads(gap["data"])) == ("gap", {"from": 1, "to": lost})
        assert text_of(next(events)) == "kept"


def test_a_filter_uses_up_nothing_that_it_did_not_show(stage: Stage, account: str) -> None:
    stage.receive(account, "first")
    stage.receive(account, "second", sender="+4917000002")
    with opened(stage, f"/v1/receive/{account}?from=%2B4917000002") as events:
        assert text_of(next(events)) == "second"
    with opened(stage, f"/v1/receive/{account}") as events:
        assert [text_of(next(events)) for _ in range(2)] == ["first", "second"]
