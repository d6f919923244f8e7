"""Tests of webhooks that somebody waits for: how many at a time, and for how long."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from tests.support import Bridge, eventually
from tests.webhooks.receiver import Handler, Receiver, status

ACCOUNT = "+12025550100"
HOOKS = f"/v1/webhooks/{ACCOUNT}"


@pytest.fixture(scope="module")
def bridge() -> Iterator[Bridge]:
    with Bridge(MODE="sandbox", BRIDGE_TRUSTED_PROXIES="127.0.0.0/8") as bridge:
        yield bridge.wait_ready()


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    gate = threading.Event()
    yield gate
    gate.set()


class Clients:
    """Test webhooks of a receiver that does not answer until the gate is open."""

    def __init__(self, bridge: Bridge, receiver: Receiver, gate: threading.Event) -> None:
        def hold(handler: Handler) -> None:
            gate.wait(15)
            status(204)(handler)

        receiver.otherwise = hold
        self._bridge, self._receiver = bridge, receiver
        self._threads = ThreadPoolExecutor(8)
        self._begun: list[Future[Any]] = []
        self._ids = [
            bridge.post(HOOKS, json={"url": f"{receiver.url}/{number}"}).json()["id"]
            for number in range(6)
        ]

    def ask(self, client: str, webhook: int) -> Any:
        return self._bridge.post(
            f"{HOOKS}/{self._ids[webhook]}/test", headers={"X-Forwarded-For": client}
        )

    def begin(self, client: str, webhook: int) -> None:
        """A test that is under way afterwards."""
        before = len(self._receiver.posts)
        self._begun.append(self._threads.submit(self.ask, client, webhook))
        eventually(lambda: len(self._receiver.posts) > before)

    def answers(self) -> list[Any]:
        return [one.result(20) for one in self._begun]

    def results(self) -> list[int]:
        return [answer.status_code for answer in self.answers()]

    def close(self) -> None:
        self._threads.shutdown()
        for webhook_id in self._ids:
            self._bridge.delete(f"{HOOKS}/{webhook_id}")


@pytest.fixture
def clients(bridge: Bridge, receiver: Receiver, gate: threading.Event) -> Iterator[Clients]:
    clients = Clients(bridge, receiver, gate)
    yield clients
    gate.set()
    clients.close()


def check_refused(answer: Any, status_code: int) -> None:
    code = {429: "too_many_requests", 503: "too_busy"}[status_code]
    assert (answer.status_code, answer.json()["code"]) == (status_code, code)
    assert int(answer.headers["Retry-After"]) > 0


def test_a_webhook_is_tested_once_at_a_time(clients: Clients, gate: threading.Event) -> None:
    clients.begin("203.0.113.1", 0)
    check_refused(clients.ask("203.0.113.2", 0), 429)
    gate.set()
    assert clients.results() == [200]
    assert clients.ask("203.0.113.2", 0).status_code == 200


def test_one_client_has_few_tests_at_a_time(clients: Clients, gate: threading.Event) -> None:
    for webhook in range(2):
        clients.begin("203.0.113.1", webhook)
    check_refused(clients.ask("203.0.113.1", 2), 429)
    clients.begin("203.0.113.2", 2)
    gate.set()
    assert clients.results() == [200] * 3
    assert clients.ask("203.0.113.1", 2).status_code == 200


def test_all_clients_together_leave_threads_to_others(
    clients: Clients, bridge: Bridge, gate: threading.Event
) -> None:
    for number in range(4):
        clients.begin(f"203.0.113.{number}", number)
    check_refused(clients.ask("203.0.113.9", 4), 503)
    assert bridge.get("/v1/about").status_code == 200
    gate.set()
    assert clients.results() == [200] * 4
    assert clients.ask("203.0.113.9", 4).status_code == 200


def test_a_stop_waits_for_no_receiver(receiver: Receiver, gate: threading.Event) -> None:
    with Bridge(MODE="sandbox") as bridge:
        clients = Clients(bridge.wait_ready(), receiver, gate)
        for webhook in range(2):
            clients.begin("203.0.113.1", webhook)
        bridge.signal(signal.SIGTERM)
        answers = [answer.json() for answer in clients.answers()]
        bridge.wait_exit()
    assert [answer["error"] for answer in answers] == ["the bridge is stopping"] * 2
