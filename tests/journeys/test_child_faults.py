"""Every process of the tree is killed in turn; the others go on, and it comes back.

On the sandbox, whose process stands for signal-cli's.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.conftest import ACCOUNT
from tests.journeys.reading import (
    drain,
    poll,
    received_text,
    text_of,
    texts_until,
    wait_for_a_reader,
)
from tests.support import Bridge, Process, ScriptedDaemon, eventually
from tests.support.databases import Database, rows
from tests.support.scripted_daemon import Gate, result, text_envelope

ALICE, BOB = "+12025550100", "+12025550101"
# While signal-cli is away, a request waits, or is told one of these.
HONEST = {502, 503}


@pytest.fixture(scope="module")
def bridge(module_database: Database) -> Iterator[Bridge]:
    with Bridge(
        MODE="sandbox",
        BRIDGE_CALL_TIMEOUT_SECONDS=2,
        BRIDGE_WORKERS=2,
        **module_database.settings,
    ) as bridge:
        yield bridge.wait_ready()


@pytest.fixture(autouse=True)
def _well_again(request: pytest.FixtureRequest) -> None:
    """Each test begins with everything running."""
    if "bridge" in request.fixturenames:
        request.getfixturevalue("bridge").wait_ready()


def signal_cli_of(bridge: Bridge) -> Process:
    return bridge.child("daemon", "--receive-mode")


def gunicorn_of(bridge: Bridge) -> Process:
    return bridge.child("gunicorn")


def workers_of(bridge: Bridge) -> list[Process]:
    master = gunicorn_of(bridge)
    return [child for child in bridge.children() if child.parent_pid == master.pid]


def send(bridge: Bridge, text: str, to: str = BOB, number: str = ALICE) -> requests.Response:
    body = {"number": number, "recipients": [to], "message": text}
    return bridge.post("/v2/send", json=body)


def is_sent(bridge: Bridge, text: str) -> bool:
    return send(bridge, text).status_code == 201


class Asking:
    """Asks over and over on threads of its own and keeps every answer that is not a success."""

    def __init__(self, *questions: Callable[[], requests.Response]) -> None:
        self.failures: list[requests.Response] = []
        self.successes = 0
        self._questions = questions
        self._done = threading.Event()

    def __enter__(self) -> Asking:
        self._pool = ThreadPoolExecutor(len(self._questions))
        self._running = [self._pool.submit(self._ask, each) for each in self._questions]
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._pool.shutdown()
        for each in self._running:
            each.result()  # an exception in it is the test's failure

    def _ask(self, question: Callable[[], requests.Response]) -> None:
        while not self._done.is_set():
            answer = question()
            if answer.status_code < 300:
                self.successes += 1
            else:
                self.failures.append(answer)


# -- signal-cli --------------------------------------------------------------------------------


def test_a_killed_signal_cli_comes_back_by_itself(bridge: Bridge) -> None:
    before, web = signal_cli_of(bridge), gunicorn_of(bridge)
    with Asking(
        lambda: bridge.get("/v1/accounts"),
        lambda: send(bridge, "while it is away"),
        lambda: bridge.get(f"/v1/groups/{ALICE}"),
    ) as asking:
        eventually(lambda: asking.successes > 10)
        before.kill()
        after = eventually(lambda: (now := signal_cli_of(bridge)) != before and now, 30)
        bridge.wait_ready()
        asking.successes = 0
        eventually(lambda: asking.successes > 10)
    assert after.pid != before.pid
    assert web.is_alive()
    for answer in asking.failures:
        assert answer.status_code in HONEST, answer.text
        body = answer.json()
        assert body["error"]
        assert body["outcome"] in ("unknown", "not_sent")
        # A send that is in doubt may be one too many; whatever reads may be asked again.
        only_reads = answer.request.method == "GET"
        assert body["retryable"] == (only_reads or body["outcome"] == "not_sent")
        assert answer.status_code == 502 or answer.headers["Retry-After"]


def test_receiving_goes_on_after_signal_cli_was_killed(bridge: Bridge) -> None:
    before = signal_cli_of(bridge)
    before.kill()
    eventually(lambda: signal_cli_of(bridge) != before)
    bridge.wait_ready()
    assert is_sent(bridge, "after the kill")
    assert received_text(bridge, BOB, "after the kill")


def test_readiness_tells_the_truth_about_a_killed_signal_cli(bridge: Bridge) -> None:
    def unready() -> Any:
        # Killed again and again: each time it stays away for longer.
        for child in bridge.children():
            if "--receive-mode" in child.command:
                child.kill()
        answer = bridge.get("/readyz")
        # The receive connection may have seen it first, and the reason is its loss alone.
        return [answer] if "signal-cli" in answer.json().get("reasons", ()) else []

    (answer,) = eventually(unready)
    assert answer.status_code == 503
    assert answer.json()["retryable"] is True
    assert answer.headers["Retry-After"]
    assert bridge.get("/livez").status_code == 200
    bridge.wait_ready()
    # The last kill may become known only now; then it is ready once more.
    eventually(lambda: bridge.get("/v1/health").status_code == 204)
    assert is_sent(bridge, "ready means that sending works")


def test_a_signal_cli_that_hangs_is_not_ready_and_answers_later(bridge: Bridge) -> None:
    hung = signal_cli_of(bridge)
    hung.kill(signal.SIGSTOP)
    try:
        answer = send(bridge, "into the void")
        # By a worker that was connected it is written; one that had yet to connect sends nothing.
        told = (answer.status_code, answer.json()["outcome"], answer.json()["retryable"])
        assert told in {(504, "unknown", False), (503, "not_sent", True)}
        ready = bridge.get("/readyz")
        assert ready.status_code == 503
        assert ready.json()["reasons"]["signal-cli"]
        assert bridge.get("/livez").status_code == 200
    finally:
        hung.kill(signal.SIGCONT)
    bridge.wait_ready()
    assert signal_cli_of(bridge) == hung
    assert is_sent(bridge, "it works again")


# -- the web half ------------------------------------------------------------------------------


def test_http_comes_back_after_gunicorns_master_was_killed(bridge: Bridge) -> None:
    eventually(lambda: len(workers_of(bridge)) == 2)  # the first alone is enough to be ready
    signal_cli, master, workers = signal_cli_of(bridge), gunicorn_of(bridge), workers_of(bridge)
    master.kill()
    eventually(lambda: not any(worker.is_alive() for worker in workers), 20, "no orphan worker")
    eventually(lambda: gunicorn_of(bridge) != master)
    eventually(lambda: bridge._answers("/livez"), 20)
    bridge.wait_ready()
    assert signal_cli.is_alive()
    assert is_sent(bridge, "by the new one")


def test_a_killed_worker_is_replaced(bridge: Bridge) -> None:
    eventually(lambda: len(workers_of(bridge)) == 2)
    signal_cli, master, workers = signal_cli_of(bridge), gunicorn_of(bridge), workers_of(bridge)
    for worker in workers:
        worker.kill()
    eventually(lambda: len([w for w in workers_of(bridge) if w not in workers]) == 2, 20)
    eventually(lambda: bridge._answers("/livez"), 20)
    bridge.wait_ready()
    assert signal_cli.is_alive()
    assert master.is_alive()
    assert is_sent(bridge, "by the next worker")


def test_a_poll_that_dies_with_its_worker_does_not_bar_the_next(bridge: Bridge) -> None:
    drain(bridge, BOB)
    workers = workers_of(bridge)
    with ThreadPoolExecutor(1) as pool:
        dying = pool.submit(bridge.get, f"/v1/receive/{BOB}?timeout=300")
        wait_for_a_reader(bridge)
        for worker in workers:
            worker.kill()
        with pytest.raises(requests.RequestException):
            dying.result()
    eventually(lambda: len([w for w in workers_of(bridge) if w not in workers]) == 2, 20)
    bridge.wait_ready()
    assert is_sent(bridge, "for the next reader")
    assert received_text(bridge, BOB, "for the next reader")


# -- serve itself ------------------------------------------------------------------------------


def test_nothing_is_left_of_a_killed_bridge_and_it_starts_again(
    start_bridge: Callable[..., Bridge], database: Database
) -> None:
    bridge = start_bridge(MODE="sandbox", **database.settings).wait_ready()
    assert is_sent(bridge, "kept over the kill")
    received = [text_of(each) for each in poll(bridge, BOB, timeout=10)]
    assert received == ["kept over the kill"]
    assert is_sent(bridge, "not yet read")
    # Committed is committed; wait for that without reading it.
    eventually(lambda: b"not yet read" in committed(bridge))
    family = bridge.kill()
    assert len(family) >= 3
    eventually(lambda: not any(child.is_alive() for child in family), 10, "no orphan")
    eventually(lambda: is_free(bridge.port), 10, "a free port")
    bridge.start().wait_open().wait_ready()
    assert texts_until(bridge, BOB, 1) == ["not yet read"]
    assert is_sent(bridge, "and on")
    assert received_text(bridge, BOB, "and on")
    bridge.stop()


def is_free(port: int) -> bool:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def committed(bridge: Bridge) -> bytes:
    return b"".join(payload for (payload,) in rows(bridge, "SELECT payload FROM events"))


def test_a_running_request_is_finished_before_the_bridge_ends(
    bridge_on_script: tuple[Bridge, ScriptedDaemon],
) -> None:
    bridge, daemon = bridge_on_script
    gate = Gate()
    daemon.on("send", gate(result({"timestamp": 17})))
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(send, bridge, "the last one", BOB, ACCOUNT)
        gate.wait_for(1)
        bridge.signal(signal.SIGTERM)
        eventually(lambda: "Handling signal: term" in bridge.log)
        gate.open()
        answer = running.result()
    assert answer.status_code == 201
    assert answer.json()[0]["timestamp"] == "17"
    assert bridge.wait_exit() == 0


def test_a_stop_waits_neither_for_pollers_nor_for_idle_connections(
    bridge_on_script: tuple[Bridge, ScriptedDaemon],
) -> None:
    bridge, _daemon = bridge_on_script
    with requests.Session() as idle, ThreadPoolExecutor(1) as pool:
        assert idle.get(f"{bridge.url}/livez").status_code == 200
        polling = pool.submit(bridge.get, f"/v1/receive/{ACCOUNT}?timeout=300")
        wait_for_a_reader(bridge)
        # Less than the 30 s that Gunicorn gives to requests that run.
        bridge.stop(seconds=15)
        assert (polling.result().status_code, polling.result().text) == (200, "[]")


def test_a_stop_keeps_what_has_arrived(bridge_on_script: tuple[Bridge, ScriptedDaemon]) -> None:
    bridge, daemon = bridge_on_script
    envelopes = [text_envelope("+491", f"late {number}", number + 1) for number in range(200)]
    daemon.notify(ACCOUNT, *envelopes)
    eventually(lambda: b"late 0" in committed(bridge))
    bridge.stop()
    bridge.start().wait_open()
    daemon.wait_subscribed()
    daemon.notify(ACCOUNT, *envelopes)  # as signal-cli does with what it had not deleted yet
    texts = texts_until(bridge, ACCOUNT, 200)
    assert texts == [f"late {number}" for number in range(200)]


@pytest.fixture
def bridge_on_script(
    start_bridge: Callable[..., Bridge], daemon: ScriptedDaemon, database: Database
) -> tuple[Bridge, ScriptedDaemon]:
    bridge = start_bridge(
        MODE="json-rpc", BRIDGE_SIGNAL_CLI_RPC=daemon.address, **database.settings
    ).wait_ready()
    daemon.wait_subscribed()
    return bridge, daemon


def test_ctrl_c_is_a_clean_stop_too(bridge_on_script: tuple[Bridge, ScriptedDaemon]) -> None:
    bridge, _daemon = bridge_on_script
    family = bridge.children()
    bridge.signal(signal.SIGINT)
    assert bridge.wait_exit() == 0
    assert not [child for child in family if child.is_alive()]
    with contextlib.suppress(requests.RequestException):
        pytest.fail(f"somebody still answers: {bridge.get('/livez').text}")
