"""Much at once: bursts of messages, a bridge killed in the middle of one, many callers."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conftest import ACCOUNT
from tests.journeys.reading import poll, text_of, texts_until
from tests.support import Bridge, ScriptedDaemon, eventually
from tests.support.databases import Database, rows
from tests.support.scripted_daemon import Connection, Request, receive_line, text_envelope

SENDER = "+4915198765"
BURST = 10_000
CLIENTS, REQUESTS_EACH = 64, 100


@pytest.fixture(scope="module")
def script(module_database: Database) -> Iterator[ScriptedDaemon]:
    """One for each database, so that each counts for itself."""
    with ScriptedDaemon(accounts=[ACCOUNT]) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def shared(script: ScriptedDaemon, module_database: Database) -> Iterator[Bridge]:
    rpc = script.address
    with Bridge(MODE="json-rpc", BRIDGE_SIGNAL_CLI_RPC=rpc, **module_database.settings) as bridge:
        bridge.wait_ready()
        script.wait_subscribed()
        yield bridge


def line(number: int, text: str = "") -> bytes:
    """Message `number` as signal-cli hands it out."""
    envelope = text_envelope(SENDER, text or str(number), 1_700_000_000_000 + number)
    return receive_line(ACCOUNT, envelope)


# -- receiving ---------------------------------------------------------------------------------


def test_a_burst_in_one_write_is_there_in_order_and_once(
    shared: Bridge, script: ScriptedDaemon
) -> None:
    """Nobody reads while it comes."""
    script.push(*(line(number) for number in range(BURST)))
    assert texts_until(shared, ACCOUNT, BURST, seconds=60) == [str(n) for n in range(BURST)]


def test_the_same_message_three_times_is_one(shared: Bridge, script: ScriptedDaemon) -> None:
    again = line(20_000, "three times")
    script.push(again, again, line(20_001, "between"))
    script.push(again)
    script.push(line(20_002, "the end"))
    texts = texts_until(shared, ACCOUNT, 3)
    assert texts == ["three times", "between", "the end"]


def test_two_messages_of_one_millisecond_are_two(shared: Bridge, script: ScriptedDaemon) -> None:
    script.push(line(20_003, "this"), line(20_003, "that"))
    assert texts_until(shared, ACCOUNT, 2) == ["this", "that"]


def test_a_burst_read_while_it_comes_is_complete(shared: Bridge, script: ScriptedDaemon) -> None:
    numbers = range(30_000, 33_000)
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(texts_until, shared, ACCOUNT, len(numbers), 60)
        for number in numbers:
            script.push(line(number))
        assert reading.result() == [str(number) for number in numbers]


def test_a_bridge_killed_in_a_burst_keeps_what_was_committed_and_doubles_nothing(
    start_bridge: Callable[..., Bridge], daemon: ScriptedDaemon, database: Database
) -> None:
    bridge = start_bridge(
        MODE="json-rpc", BRIDGE_SIGNAL_CLI_RPC=daemon.address, **database.settings
    ).wait_ready()
    daemon.wait_subscribed()
    with Burst(daemon) as burst:
        eventually(lambda: len(committed(bridge)) > 500, 30)
        bridge.kill()
        kept = committed(bridge)
        subscriptions = len(daemon.asked("subscribeReceive"))
        bridge.start()
        *_, again = daemon.wait_for("subscribeReceive", subscriptions + 1, seconds=30)
        eventually(lambda: again.connection.subscribed)
        connected_at = burst.last + 10  # one write may be under way
        eventually(lambda: burst.last > connected_at + 500, 30)
    # As signal-cli does after a crash: what it had not deleted yet comes once more.
    daemon.push(*(line(int(text)) for text in kept[-50:]), line(900_000, "the end"))
    bridge.wait_open()
    texts: list[str] = []

    def read_to_the_end() -> bool:
        texts.extend(text for each in poll(bridge, ACCOUNT) if (text := text_of(each)))
        return texts[-1:] == ["the end"]

    eventually(read_to_the_end, 30)
    numbers = [int(text) for text in texts[:-1]]
    assert texts[: len(kept)] == kept
    assert numbers == sorted(set(numbers)), "in order, none twice"
    # What was in the socket when the bridge died went with it; whatever came later is there.
    assert set(range(connected_at + 1, burst.last + 1)) <= set(numbers)


class Burst:
    """Pushes message after message to whoever is subscribed. `last` is the newest."""

    def __init__(self, daemon: ScriptedDaemon) -> None:
        self.last = 0
        self._daemon = daemon
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._push, name="burst")

    def __enter__(self) -> Burst:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _push(self) -> None:
        while not self._done.wait(0.002):
            self._daemon.push(*(line(self.last + 1 + more) for more in range(10)))
            self.last += 10


def committed(bridge: Bridge) -> list[str]:
    """The texts in the database as they stand there now."""
    found = rows(bridge, "SELECT payload FROM events WHERE kind = 'message' ORDER BY seq")
    return [json.loads(payload)["envelope"]["dataMessage"]["message"] for (payload,) in found]


# -- calling -----------------------------------------------------------------------------------


def test_many_callers_each_get_the_answer_to_their_own_request(
    shared: Bridge, script: ScriptedDaemon
) -> None:
    def echo(connection: Connection, request: Request) -> None:
        timestamp = int(request.params["message"])
        connection.reply(request, {"result": {"timestamp": timestamp}})

    script.on("send", echo)

    def client(number: int) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", shared.port, timeout=60)
        right = 0
        for count in range(REQUESTS_EACH):
            mark = str(1_000_000 + number * REQUESTS_EACH + count)
            body = {"number": ACCOUNT, "recipients": [SENDER], "message": mark}
            connection.request("POST", "/v2/send", json.dumps(body))
            answer = connection.getresponse()
            assert answer.status == 201, answer.read()
            right += json.loads(answer.read())[0]["timestamp"] == mark
        connection.close()
        return right

    with ThreadPoolExecutor(CLIENTS) as pool:
        right = list(pool.map(client, range(CLIENTS)))
    assert right == [REQUESTS_EACH] * CLIENTS
    assert len(script.asked("send")) == CLIENTS * REQUESTS_EACH
