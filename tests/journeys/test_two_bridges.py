"""Several bridges on one database: one is at work, the others wait and take over."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from tests.support import Bridge, eventually, postgres
from tests.support.postgres import EMPTY, Server
from tests.webhooks.receiver import Receiver

ALICE, BOB = "+12025550100", "+12025550101"
TEXTS = [str(number) for number in range(10)]

StartBridge = Callable[..., Bridge]


@pytest.fixture
def url(postgres_server: Server) -> Iterator[str]:
    """A database without a table."""
    with postgres_server.database(EMPTY) as name:
        yield postgres_server.url(name)


@pytest.fixture
def pair(start_bridge: StartBridge, url: str) -> tuple[Bridge, Bridge]:
    """One that is at work, and one that came later."""
    first = start_bridge(BRIDGE_DATABASE_URL=url).wait_ready()
    return first, start_bridge(BRIDGE_DATABASE_URL=url)


def name_of(bridge: Bridge) -> str:
    return (bridge.config_dir / "bridge" / "node").read_text()


def test_the_second_is_open_and_says_for_whom_it_waits(pair: tuple[Bridge, Bridge]) -> None:
    first, second = pair
    answer = second.get("/readyz")
    assert answer.status_code == 503
    assert name_of(first) in answer.json()["reasons"]["bridge"]
    assert second.get("/livez").status_code == 200
    assert name_of(first) in second.log
    assert first.get("/readyz").status_code == 200


def test_the_second_takes_over_when_the_first_stops(pair: tuple[Bridge, Bridge]) -> None:
    first, second = pair
    first.stop()
    second.wait_ready()
    body = {"number": ALICE, "recipients": [BOB], "message": "hi"}
    assert second.post("/v2/send", json=body).status_code == 201


def test_the_second_takes_over_when_the_first_is_killed(pair: tuple[Bridge, Bridge]) -> None:
    first, second = pair
    first.kill()
    second.wait_ready()


def test_a_bridge_that_was_killed_comes_back_without_waiting_for_itself(
    start_bridge: StartBridge, url: str
) -> None:
    bridge = start_bridge(BRIDGE_DATABASE_URL=url).wait_ready()
    bridge.kill()
    bridge.start().wait_ready()
    assert "another Signal Bridge" not in bridge.log


def test_one_of_two_delivers_each_message_once(
    pair: tuple[Bridge, Bridge],
) -> None:
    first, _second = pair
    receiver = Receiver()
    try:
        hook = first.post(f"/v1/receive/{BOB}", json={"webhook": receiver.url})
        assert hook.status_code == 201
        for text in TEXTS:
            body = {"number": ALICE, "recipients": [BOB], "message": text}
            assert first.post("/v2/send", json=body).status_code == 201
        eventually(lambda: len(receiver.posts) >= len(TEXTS), 20)
        settled = first.get(f"/v1/webhooks/{BOB}/{hook.json()['id']}")
        assert settled.status_code == 200
        assert [post.text for post in receiver.posts] == TEXTS
    finally:
        receiver.close()


def test_three_that_start_at_once_on_an_empty_database_all_come_up(
    start_bridge: StartBridge, url: str
) -> None:
    bridges = [Bridge(BRIDGE_DATABASE_URL=url) for _ in range(3)]
    try:
        for bridge in bridges:
            bridge.start()
        for bridge in bridges:
            bridge.wait_open(30)
        eventually(
            lambda: sum(bridge.get("/readyz").status_code == 200 for bridge in bridges) == 1,
            30,
            "one that is at work",
        )
    finally:
        for bridge in bridges:
            bridge.close()


def test_a_database_that_is_not_there_yet_is_waited_for() -> None:
    with postgres.own_server() as server:
        server.stop()
        bridge = Bridge(BRIDGE_DATABASE_URL=server.url())
        try:
            bridge.start()
            eventually(lambda: "waiting for the database" in bridge.log, 20)
            assert bridge.is_running()
            server.start()
            bridge.wait_open(30).wait_ready()
            assert "Traceback" not in bridge.log
        finally:
            bridge.close()


@pytest.mark.parametrize("change", [("/[^/?]*[?]", "/nowhere?"), ("//[^@]*@", "//nobody@")])
def test_a_database_that_will_never_let_it_in_stops_the_start_with_a_sentence(
    url: str, change: tuple[str, str]
) -> None:
    bridge = Bridge(BRIDGE_DATABASE_URL=re.sub(*change, url))
    try:
        bridge.start()
        assert bridge.wait_exit() == 2
        assert "does not exist" in bridge.log
        assert "Traceback" not in bridge.log
    finally:
        bridge.close()
