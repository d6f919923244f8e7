"""What an operator is told of signal-cli: its memory, how it ended, and what it may die of."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support import Bridge, eventually

ALICE = "+12025550100"
SLOW = "+12025550194"  # a message to it takes five seconds


@pytest.fixture(scope="module")
def bridge() -> Iterator[Bridge]:
    with Bridge(MODE="sandbox", BRIDGE_WORKERS=2) as bridge:
        yield bridge.wait_ready()


def signal_cli(bridge: Bridge) -> dict[str, Any]:
    answer = bridge.get("/v1/status")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["signal-cli"]
    return found


def killed_while_it_sends(bridge: Bridge) -> None:
    """signal-cli dies in the middle of a send, and works again."""
    answers = []

    def send() -> None:
        body = {"number": ALICE, "recipients": [SLOW], "message": "a text of mine"}
        answers.append(bridge.post("/v2/send", json=body))

    sending = threading.Thread(target=send, name="sending")
    sending.start()
    time.sleep(1)  # it takes five
    before = bridge.child("daemon", "--receive-mode")
    before.kill()
    sending.join(30)
    assert answers[0].status_code == 502, answers[0].text
    eventually(lambda: bridge.child("daemon", "--receive-mode") != before, 30)
    bridge.wait_ready()


def test_an_operator_sees_its_memory_and_no_account(bridge: Bridge) -> None:
    found = signal_cli(bridge)
    assert found["state"] == "running"
    assert found["pid"] == bridge.child("daemon", "--receive-mode").pid
    assert 5 * 2**20 < found["memory_bytes"] < 500 * 2**20
    assert found["version"]
    assert ALICE not in bridge.get("/v1/status").text


def test_how_it_died_is_told_and_what_was_in_flight_each_time(bridge: Bridge) -> None:
    restarts = signal_cli(bridge)["restarts"]
    killed_while_it_sends(bridge)
    once = eventually(lambda: (now := signal_cli(bridge))["restarts"] == restarts + 1 and now, 30)
    assert once["last_exit"]["how"] == "was ended by signal 9"
    assert once["suspicion"] is None
    killed_while_it_sends(bridge)
    twice = eventually(lambda: (now := signal_cli(bridge))["restarts"] == restarts + 2 and now, 30)
    assert twice["suspicion"].startswith("send was in flight at 2 of 2 deaths of signal-cli")
    assert f"WARNING signal_bridge.session.lives [supervisor:signal-cli] {twice['suspicion']}" in (
        bridge.log
    )
    assert "a text of mine" not in bridge.get("/v1/status").text
