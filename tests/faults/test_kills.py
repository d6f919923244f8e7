"""kill -9 of each process in the middle of a burst: everybody has every message, in order."""

from __future__ import annotations

import pytest
import requests

from tests.faults import marathon
from tests.faults.conftest import Crowd, Scene
from tests.faults.source import stored
from tests.support import Process, eventually
from tests.support.databases import KINDS

BURST = 5000
# Enough to be in the middle: the rest comes only after the kill.
BEFORE_THE_KILL = 4000
UNDER_WAY = 150
KILLS, SEED = 5, 5


def begin(scene: Scene, crowd: Crowd) -> None:
    """Messages come and everybody is reading."""
    scene.source.allow(BEFORE_THE_KILL)
    crowd.wait_until_all_have(UNDER_WAY)


def finish(scene: Scene, crowd: Crowd) -> None:
    """The rest comes, and everybody gets all of it."""
    scene.source.allow(BURST)
    crowd.wait_until_all_have(BURST)
    assert stored(scene.bridge) == list(range(BURST))


def gunicorn_of(scene: Scene) -> Process:
    return scene.bridge.child("gunicorn")


def test_a_bridge_killed_in_a_burst_leaves_nobody_without_a_message(
    scene: Scene, crowd: Crowd
) -> None:
    begin(scene, crowd)
    scene.bridge.kill()
    scene.bridge.start()
    finish(scene, crowd)
    crowd.check(BURST, most_steps_back=1)


def test_gunicorn_killed_in_a_burst_leaves_nobody_without_a_message(
    scene: Scene, crowd: Crowd
) -> None:
    begin(scene, crowd)
    gunicorn_of(scene).kill()
    finish(scene, crowd)
    crowd.check(BURST, most_steps_back=1)
    check_that_webhooks_noticed_nothing(crowd)


def test_a_worker_killed_in_a_burst_leaves_nobody_without_a_message(
    scene: Scene, crowd: Crowd
) -> None:
    begin(scene, crowd)
    master = gunicorn_of(scene)
    for child in scene.bridge.children():
        if child.parent_pid == master.pid:
            child.kill()
    finish(scene, crowd)
    crowd.check(BURST, most_steps_back=1)
    check_that_webhooks_noticed_nothing(crowd)


def test_a_signal_cli_that_dies_in_a_burst_leaves_nobody_without_a_message(
    scene: Scene, crowd: Crowd
) -> None:
    begin(scene, crowd)
    scene.daemon.stop()
    eventually(lambda: readiness(scene).status_code == 503, 20)
    scene.daemon.start()
    finish(scene, crowd)
    crowd.check(BURST, most_steps_back=0)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", KINDS)
def test_one_kill_after_another_leaves_nobody_without_a_message(kind: str) -> None:
    """The same with twenty times as many messages: `make bench ARGS=--kills`."""
    result = marathon.run(kind, marathon.plan(kind, BURST, KILLS, SEED))
    assert not result.problems, "\n".join(result.problems)
    assert result.stored == BURST
    assert set(result.lost.values()) == {0}


def readiness(scene: Scene) -> requests.Response:
    return scene.bridge.get("/readyz")


def check_that_webhooks_noticed_nothing(crowd: Crowd) -> None:
    for hook in crowd.hooks:
        assert hook.count == BURST
