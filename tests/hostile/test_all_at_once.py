"""Every attack of the benches, a few connections of each at the same time; and how it stops."""

from __future__ import annotations

import contextlib

import pytest

from bench.attacks.crowd import Crowd, gathered
from bench.attacks.table import ATTACKS, Target, named
from tests.hostile.hands import assert_honest_clients_are_answered
from tests.support import Bridge

STOP_SECONDS = 20.0
# Those that hold what a stop has to let go of.
HOLDING = {
    "heads": (
        "half heads",
        "half heads after a first request",
        "silent connections in waves",
        "idle connections",
    ),
    "bodies": ("bodies of a byte in 8 s", "chunks of a byte in 8 s", "uploads of a byte in 3 s"),
    "readers": ("readers of a byte in 10 s", "pipelines that nobody reads"),
    "streams": (
        "server-sent events that nobody reads",
        "WebSockets that nobody reads",
        "long polls",
    ),
    "bombs": ("30 MiB of empty objects", "RPC batches of 60,000", "a webhook to its own test"),
}


def crowd(bridge: Bridge, name: str, connections: int) -> Crowd:
    attack = named(name)
    script = attack.script(Target(bridge.port, bridge.config_dir))
    return Crowd(bridge.port, script, min(connections, attack.connections), attack.source)


def test_honest_clients_are_answered_under_all_attacks_at_once(bridge: Bridge) -> None:
    with contextlib.ExitStack() as stack:
        crowds = [
            stack.enter_context(gathered(crowd(bridge, attack.name, 10))) for attack in ATTACKS
        ]
        assert_honest_clients_are_answered(bridge, times=5)
    assert all(one.opened for one in crowds)


@pytest.mark.parametrize("kind", HOLDING)
def test_a_stop_ends_it(kind: str) -> None:
    with Bridge(MODE="sandbox") as attacked, contextlib.ExitStack() as stack:
        attacked.wait_ready()
        for name in HOLDING[kind]:
            stack.enter_context(gathered(crowd(attacked, name, 110)))
        attacked.stop(STOP_SECONDS)
