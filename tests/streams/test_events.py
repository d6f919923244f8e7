"""The feed in pages: reading changes nothing, and consumers keep their own place."""

from __future__ import annotations

import threading
from typing import Any

from tests.streams.conftest import Stage


def page(stage: Stage, account: str, **query: object) -> dict[str, Any]:
    answer = stage.bridge.get("/v1/events", params={"account": account, **query})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def texts(body: dict[str, Any]) -> list[str]:
    return [event["envelope"]["dataMessage"]["message"] for event in body["events"]]


def test_reading_changes_nothing(stage: Stage, account: str) -> None:
    stage.receive(account, "one")
    assert texts(page(stage, account)) == texts(page(stage, account)) == ["one"]


def test_pages_follow_each_other(stage: Stage, account: str) -> None:
    stage.receive(account, "one", "two", "three")
    first = page(stage, account, limit=2)
    assert texts(first) == ["one", "two"]
    assert first["lag"] == 1
    assert texts(page(stage, account, after=first["next"])) == ["three"]


def test_a_wait_ends_with_the_first_event(stage: Stage, account: str) -> None:
    found: list[str] = []
    waiting = threading.Thread(target=lambda: found.extend(texts(page(stage, account, timeout=60))))
    waiting.start()
    stage.receive(account, "at last")
    waiting.join(20)
    assert found == ["at last"]


def test_a_consumer_goes_on_where_it_has_acknowledged(stage: Stage, account: str) -> None:
    stage.receive(account, "done", "not yet")
    done = page(stage, account, consumer=f"bot-{account[1:]}")["events"][0]["seq"]
    acknowledge = {"consumer": f"bot-{account[1:]}", "seq": done}
    assert stage.bridge.post("/v1/events/ack", json=acknowledge).status_code == 204
    assert texts(page(stage, account, consumer=f"bot-{account[1:]}")) == ["not yet"]
    consumers = {c["consumer"]: c for c in stage.bridge.get("/v1/events/consumers").json()}
    assert consumers[f"bot-{account[1:]}"]["seq"] == done
    assert consumers[f"bot-{account[1:]}"]["lag"] >= 1


def test_an_acknowledgement_never_goes_back(stage: Stage, account: str) -> None:
    name = f"steady-{account[1:]}"
    stage.receive(account, *"abcde")
    for seq in (5, 3):
        stage.bridge.post("/v1/events/ack", json={"consumer": name, "seq": seq})
    consumers = {c["consumer"]: c for c in stage.bridge.get("/v1/events/consumers").json()}
    assert consumers[name]["seq"] == 5


def test_bad_questions_get_a_sentence(stage: Stage, account: str) -> None:
    for query in ({"after": "x"}, {"types": "nope"}, {"consumer": "a/b"}, {"limit": "many"}):
        answer = stage.bridge.get("/v1/events", params=query)
        assert answer.status_code == 400, query
        assert answer.json()["error"]


def test_the_own_events_of_the_bridge_are_here_unasked_and_elsewhere_when_named(
    stage: Stage, account: str
) -> None:
    kinds = {event["type"] for event in page(stage, "+4915112345")["events"]}
    assert "account.linked" in kinds
    assert stage.bridge.get("/v1/receive/+4915112345").json() == []
    named = stage.bridge.get("/v1/receive/+4915112345?types=account.*").json()
    assert [event["event"] for event in named] == ["account.linked"]
