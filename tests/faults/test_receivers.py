"""Receivers of webhooks that are down, or slow: nothing is lost, and nobody waits for them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import requests

from tests.conftest import ACCOUNT
from tests.faults.conftest import Scene
from tests.faults.consumers import Hook, first_times
from tests.faults.source import SENDER
from tests.support import eventually
from tests.support.scripted_daemon import result
from tests.webhooks.receiver import Handler, status

MESSAGES = 200
SENDS = 200
CALLERS = 8
SLEEP_SECONDS = 30.0


def failed_attempts(scene: Scene, hook: Hook) -> int:
    answer = scene.bridge.get(f"/v1/webhooks/{ACCOUNT}/{hook.id}")
    return int(answer.json()["failed_attempts"])


def test_a_receiver_that_was_down_gets_everything_in_order_when_it_is_up(scene: Scene) -> None:
    hook = Hook(scene.bridge)
    hook.receiver.close()
    scene.source.allow(MESSAGES)
    eventually(lambda: failed_attempts(scene, hook) >= 3, 20)
    scene.wait_stored(MESSAGES)
    hook.reopen()
    eventually(lambda: hook.count >= MESSAGES, 30)
    hook.stop()
    assert [one.number for one in hook.seen] == list(range(MESSAGES))


def test_a_receiver_that_answers_503_for_a_while_gets_everything_in_order(scene: Scene) -> None:
    hook = Hook(scene.bridge)
    hook.receiver.answers = [status(204)] * 10 + [status(503)] * 5
    scene.source.allow(MESSAGES)
    eventually(lambda: hook.newest >= MESSAGES - 1, 30)
    hook.stop()
    assert first_times(hook.seen) == list(range(MESSAGES))
    assert len({(one.number, one.content) for one in hook.seen}) == MESSAGES, "the same webhook-id"
    assert hook.count == MESSAGES + 5


def test_sends_do_not_wait_for_a_receiver_that_sleeps(scene: Scene) -> None:
    """Thirty seconds, unless all sends are answered before that."""
    awake, answered = threading.Event(), threading.Event()

    def sleep(handler: Handler) -> None:
        awake.wait(SLEEP_SECONDS)
        status(204)(handler)
        answered.set()

    scene.daemon.on("send", result({"timestamp": 1}))
    hook, other = Hook(scene.bridge), Hook(scene.bridge)
    hook.receiver.answers = [sleep]
    scene.source.allow(MESSAGES)
    hook.receiver.wait_for(1)

    def send(number: int) -> requests.Response:
        body = {"number": ACCOUNT, "recipients": [SENDER], "message": str(number)}
        return scene.bridge.post("/v2/send", json=body)

    with ThreadPoolExecutor(CALLERS) as pool:
        answers = list(pool.map(send, range(SENDS)))
    assert {answer.status_code for answer in answers} == {201}
    assert not answered.is_set(), "every send was answered before the receiver had"
    eventually(lambda: other.newest >= MESSAGES - 1, 30)
    assert not answered.is_set(), "the other webhook got everything before the receiver answered"
    awake.set()
    eventually(lambda: hook.newest >= MESSAGES - 1, 30)
    for one in (hook, other):
        one.stop()
        assert first_times(one.seen) == list(range(MESSAGES))
