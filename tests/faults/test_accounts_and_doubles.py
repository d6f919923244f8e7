"""An account that is away for a while, a line that comes thrice, a stream that is cut off."""

from __future__ import annotations

import itertools

from tests.conftest import ACCOUNT
from tests.faults.conftest import Crowd, Scene
from tests.faults.consumers import Seen, first_times, seen, sse
from tests.faults.source import SENDER, line, stored
from tests.support import eventually
from tests.support.scripted_daemon import error, result

MESSAGES = 1000
EVENTS_PER_CONNECTION = 130


def send_status(scene: Scene) -> int:
    body = {"number": ACCOUNT, "recipients": [SENDER], "message": "are you there"}
    answer = scene.bridge.post("/v2/send", json=body)
    assert answer.status_code == 201 or answer.json()["error"]
    return answer.status_code


def test_an_account_the_daemon_hides_sends_and_receives_again_when_it_is_back(
    scene: Scene, crowd: Crowd
) -> None:
    scene.source.allow(10)
    crowd.wait_until_all_have(10)
    scene.daemon.on("send", error(-32602, "Specified account does not exist"))
    scene.daemon.accounts.clear()
    eventually(lambda: scene.bridge.get("/readyz").status_code == 503, 20)
    assert send_status(scene) == 503
    scene.daemon.on("send", result({"timestamp": 1}))
    scene.daemon.accounts.append(ACCOUNT)
    scene.source.allow(20)
    scene.bridge.wait_ready()
    assert send_status(scene) == 201
    scene.source.allow(30)
    crowd.wait_until_all_have(30)
    crowd.check(30, most_steps_back=0)


def test_a_line_that_comes_three_times_is_one_event_and_one_delivery_to_everybody(
    scene: Scene, crowd: Crowd
) -> None:
    connection = scene.daemon.wait_subscribed()
    connection.write(line(0) * 3)
    connection.write(line(1) + line(0) + line(2))
    crowd.wait_until_all_have(3)
    assert stored(scene.bridge) == [0, 1, 2]
    for name, all_seen in crowd.seen().items():
        assert [one.number for one in all_seen] == [0, 1, 2], name


def test_a_stream_cut_off_again_and_again_goes_on_after_the_last_event_id(scene: Scene) -> None:
    scene.source.allow(MESSAGES)
    all_seen: list[Seen] = []
    last_id = "0"
    while len(all_seen) < MESSAGES:
        with sse(scene.bridge, last_id) as events:
            for event_id, body in itertools.islice(events, EVENTS_PER_CONNECTION):
                last_id = event_id
                all_seen.append(seen(body))
                if len(all_seen) == MESSAGES:
                    break
    assert [one.number for one in all_seen] == list(range(MESSAGES))
    assert first_times(all_seen) == stored(scene.bridge)
