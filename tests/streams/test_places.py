"""Places for streams: how many one client may have, and that each is given back."""

from __future__ import annotations

import contextlib
import gc
import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from signal_bridge.errors import Busy, BusyForClient, TooManyStreams
from signal_bridge.web.streams import Place, StreamPlaces
from tests.journeys import http
from tests.streams.conftest import Stage, a_stage
from tests.support import eventually
from tests.support.databases import Database

PLACES, SHARE = 6, 5  # of 9 threads, and of one client
SECONDS = 20.0
ONE, OTHER, THIRD, PROXY = (f"127.0.0.{number}" for number in (1, 2, 3, 9))
STREAM = "Accept: text/event-stream"
WEBSOCKET = (
    "Upgrade: websocket", "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)  # fmt: skip


@pytest.fixture(scope="module")
def stage(module_database: Database) -> Iterator[Stage]:
    settings = {"BRIDGE_THREADS": 9, "BRIDGE_TRUSTED_PROXIES": PROXY}
    with a_stage(module_database, **settings) as stage:
        yield stage


# -- who gets one ----------------------------------------------------------------------------------


def test_one_client_leaves_some_places_to_the_others() -> None:
    places = StreamPlaces(9)
    taken = [places.take("one") for _ in range(5)]
    with pytest.raises(BusyForClient) as refused:
        places.take("one")
    assert refused.value.retryable
    taken.append(places.take("two"))
    with pytest.raises(TooManyStreams) as refused:
        places.take("three")
    assert not isinstance(refused.value, BusyForClient)
    taken.pop().leave()
    places.take("three")


def test_a_place_that_is_given_back_twice_is_one_place() -> None:
    places = StreamPlaces(9)
    first, second = places.take("one"), places.take("one")
    first.leave()
    first.leave()
    assert places.taken == 1
    second.leave()
    assert places.taken == 0


def test_a_place_that_nobody_has_any_more_is_free() -> None:
    places = StreamPlaces(9)
    ring: list[object] = [places.take("one")]
    ring.append(ring)
    assert places.taken == 1
    del ring
    gc.collect()
    assert places.taken == 0


def test_a_place_for_a_block_is_free_after_it_whatever_happens() -> None:
    places = StreamPlaces(9)
    with contextlib.suppress(ZeroDivisionError), places.take("one"):
        assert places.taken == 1
        raise ZeroDivisionError
    assert places.taken == 0


def test_no_more_are_taken_than_there_are_whoever_comes_at_once() -> None:
    places = StreamPlaces(30)

    def take_some(client: int) -> list[Place]:
        taken = []
        for _ in range(50):
            with contextlib.suppress(Busy):
                taken.append(places.take(str(client)))
        return taken

    with ThreadPoolExecutor(8) as pool:
        held = [place for each in pool.map(take_some, range(8)) for place in each]
    assert len(held) == places.taken == places.limit
    for place in held:
        place.leave()
    assert places.taken == 0


# -- over HTTP -------------------------------------------------------------------------------------


@contextlib.contextmanager
def asking(
    stage: Stage, path: str, *headers: str, client: str = ONE
) -> Iterator[tuple[int, socket.socket]]:
    """A request from a client's address, and the status of what is answered first."""
    with opened(stage, path, *headers, client=client) as connection:
        yield status_on(connection), connection


def opened(stage: Stage, path: str, *headers: str, client: str = ONE) -> socket.socket:
    address = ("127.0.0.1", stage.bridge.port)
    connection = socket.create_connection(address, SECONDS, (client, 0))
    connection.sendall(http.head("GET", path, *headers))
    return connection


def status_on(connection: socket.socket) -> int:
    return int(connection.recv(12).rpartition(b" ")[2] or 0)


@contextlib.contextmanager
def streams(stage: Stage, client: str = ONE, count: int = SHARE) -> Iterator[None]:
    """The client has so many streams. Places of who has just left are free in a moment."""
    held: list[socket.socket] = []

    def has_one_more() -> bool:
        held.append(opened(stage, "/v1/events", STREAM, client=client))
        if status_on(held[-1]) == 200:
            return True
        held.pop().close()
        return False

    try:
        for _ in range(count):
            eventually(has_one_more, SECONDS, f"a place for {client}")
        yield
    finally:
        for connection in held:
            connection.close()


def assert_all_are_free(stage: Stage) -> None:
    with streams(stage), streams(stage, OTHER, PLACES - SHARE):
        pass


def answer_to(stage: Stage, path: str, *headers: str, client: str = ONE) -> tuple[int, str, str]:
    """Status, code and Retry-After."""
    with opened(stage, path, *headers, client=client) as connection:
        whole = connection.makefile("rb").read()
    head, _, body = whole.partition(b"\r\n\r\n")
    after = [line for line in head.decode().splitlines() if line.startswith("Retry-After: ")]
    found = json.loads(body)
    code = found["code"] if isinstance(found, dict) and "code" in found else ""
    return int(head.split()[1]), code, "".join(after).partition(": ")[2]


OF_CLIENT = (429, "too_many_requests", "5")
OF_ALL = (503, "too_many_streams", "5")


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/v1/receive/+49160", (STREAM,)),
        ("/v1/receive/+49160", WEBSOCKET),
        ("/v1/receive/+49160?timeout=60&types=call", ()),
        ("/v1/events", (STREAM,)),
        ("/v1/events?timeout=60&types=call", ()),
        ("/api/v1/events", (STREAM,)),
    ],
)
def test_a_client_with_its_share_is_told_so_and_another_is_served(
    stage: Stage, path: str, headers: tuple[str, ...]
) -> None:
    with streams(stage):
        assert answer_to(stage, path, *headers) == OF_CLIENT
        brief = path.replace("timeout=60", "timeout=1")
        with asking(stage, brief, *headers, client=OTHER) as (status, _):
            assert status in (101, 200)
        with streams(stage, OTHER, PLACES - SHARE):
            assert answer_to(stage, path, *headers, client=THIRD) == OF_ALL
            assert stage.bridge.get("/v1/about").status_code == 200


def test_who_is_behind_a_trusted_proxy_is_counted_by_itself(stage: Stage) -> None:
    one, two = ("X-Forwarded-For: 203.0.113.1", "X-Forwarded-For: 203.0.113.2")
    with contextlib.ExitStack() as stack:
        for _ in range(SHARE):
            found = stack.enter_context(asking(stage, "/v1/events", STREAM, one, client=PROXY))
            assert found[0] == 200
        assert answer_to(stage, "/v1/events", STREAM, one, client=PROXY) == OF_CLIENT
        found = stack.enter_context(asking(stage, "/v1/events", STREAM, two, client=PROXY))
        assert found[0] == 200
    assert_all_are_free(stage)


def test_what_is_there_is_answered_without_a_place(stage: Stage, account: str) -> None:
    stage.receive(account, "here")
    with streams(stage):
        answer = stage.bridge.get(f"/v1/receive/{account}?timeout=60")
        assert [element["envelope"]["dataMessage"]["message"] for element in answer.json()] == [
            "here"
        ]
        assert stage.bridge.get(f"/v1/receive/{account}?timeout=0").json() == []
        assert stage.bridge.get("/v1/events?after=0&timeout=60").json()["events"]


# -- and gives it back -----------------------------------------------------------------------------


@pytest.mark.parametrize("leave", [http.vanish, socket.socket.close])
@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/v1/events", (STREAM,)),
        ("/v1/receive/+49160", WEBSOCKET),
        ("/v1/receive/+49160?timeout=300&types=call", ()),
    ],
)
def test_clients_that_leave_before_or_after_the_first_byte_leave_their_places(
    stage: Stage, path: str, headers: tuple[str, ...], leave: object
) -> None:
    for _ in range(2 * SHARE):
        leave(opened(stage, path, *headers))  # type: ignore[operator]
    for _ in range(SHARE):
        connection = opened(stage, path, *headers)
        if headers:
            connection.recv(1)
        leave(connection)  # type: ignore[operator]
    assert_all_are_free(stage)


@pytest.mark.parametrize(
    "request_",
    [
        http.head("HEAD", "/v1/events", STREAM),
        http.head("GET", "/v1/events?types=nothing", STREAM),
        http.head("GET", "/v1/receive/+49160", "Upgrade: websocket"),
        http.head("GET", "/v1/receive/nobody", STREAM),
    ],
)
def test_what_fails_before_it_begins_takes_no_place(stage: Stage, request_: bytes) -> None:
    for _ in range(2 * SHARE):
        http.exchange(stage.bridge, request_)
    assert_all_are_free(stage)


def test_a_stop_waits_for_no_place(stage: Stage) -> None:
    """Last in this module: it ends the bridge, and starts it again for whoever follows."""
    with (
        asking(stage, "/v1/events", STREAM),
        asking(stage, "/v1/receive/+49160", *WEBSOCKET),
        opened(stage, "/v1/receive/+49160?timeout=300&types=call"),
    ):
        stage.bridge.stop()
    stage.bridge.start().wait_ready()
    stage.daemon.wait_subscribed()
    assert_all_are_free(stage)
