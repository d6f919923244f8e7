"""The bridge answers as the recorded signal-cli-rest-api does, except where we say otherwise.

Real Gunicorn, a scripted daemon, one exchange a test. The exchanges are independent but for the
order of the recording, which is kept.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.expectations import DEVIATIONS, NOT_YET_DUE, is_due, pattern_of
from tests.contract.replay import differences, replay
from tests.contract.vectors import Vector, read_vectors
from tests.support import Bridge, ScriptedDaemon

# One of the recorded answers of /v1/about was given with this.
BUILD_VERSION = "9.9"
# Two, so that a request that names none is not the only one's.
ACCOUNT, OTHER = "+4915112345", "+4915199999"

VECTORS = read_vectors()
WANTED = {name: deviation for deviation in DEVIATIONS for name in deviation.names}
SAME = [vector for vector in VECTORS if is_due(vector) and vector.name not in WANTED]
BETTER = [vector for vector in VECTORS if vector.name in WANTED]
MISSING = [vector for vector in VECTORS if not is_due(vector)]


@pytest.fixture(scope="module")
def scripted() -> Iterator[ScriptedDaemon]:
    with ScriptedDaemon(accounts=[ACCOUNT, OTHER]) as scripted:
        yield scripted


@pytest.fixture(scope="module")
def served(scripted: ScriptedDaemon) -> Iterator[Bridge]:
    served = Bridge(
        MODE="json-rpc", BRIDGE_SIGNAL_CLI_RPC=scripted.address, BUILD_VERSION=BUILD_VERSION
    )
    with served:
        served.wait_ready()
        scripted.wait_subscribed()
        yield served


def each(vectors: list[Vector]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("vector", vectors, ids=[vector.name for vector in vectors])


@each(SAME)
def test_it_answers_as_the_peer(vector: Vector, served: Bridge, scripted: ScriptedDaemon) -> None:
    problems = differences(vector, replay(vector, served, scripted))
    assert not problems, "\n".join(problems)


@each(BETTER)
def test_it_answers_better_than_the_peer(
    vector: Vector, served: Bridge, scripted: ScriptedDaemon
) -> None:
    deviation = WANTED[vector.name]
    wanted = deviation.instead(vector)
    seen = replay(wanted, served, scripted)
    problems = differences(wanted, seen)
    assert not problems, "\n".join(problems)
    as_recorded = not differences(vector, seen)
    assert not as_recorded, f"take it off DEVIATIONS, {deviation.rule}: it is as recorded"


@each(MISSING)
def test_it_does_not_have_the_route_yet(
    vector: Vector, served: Bridge, scripted: ScriptedDaemon
) -> None:
    as_recorded = not differences(vector, replay(vector, served, scripted))
    assert not as_recorded, "take its route off NOT_YET_DUE: it is there"


def test_both_lists_are_about_something_recorded() -> None:
    requests = [f"{vector.method} {vector.route}" for vector in VECTORS]
    idle = [
        entry
        for entry in NOT_YET_DUE
        if not any(pattern_of(entry).fullmatch(request) for request in requests)
    ]
    unknown = WANTED.keys() - {vector.name for vector in VECTORS}
    assert idle == []
    assert unknown == set()
