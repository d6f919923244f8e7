"""All attacks in turn, round after round, against one bridge: what its processes hold stays flat.

    make bench ARGS='--soak 60'

What is compared is the bridge at rest, some time after the last attack of a round: its memory,
threads and descriptors. The first round is the warm-up and not compared, since a process takes much
of what it needs only when it is first needed, and keeps it: threads of a pool, connections to the
database, caches, the room that the largest body took. What is lost is lost again in each round, and
shows from then on. A slow honest client goes along the whole time (bench/companion.py).
"""

from __future__ import annotations

import itertools
import os
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from bench.attacks.table import ATTACKS
from bench.companion import Asker, Companion, Correspondents, going_along
from bench.hostile import under
from bench.stage import ROOT, Bridge, Vitals, bridge

MOST_RATIO = 1.1
_ATTACK_SECONDS = 6.0
_SAMPLE_SECONDS = 2.0
# Readers that are gone are noticed by a heartbeat of 10 s; what is slow is cut off by then, too.
_SETTLE_SECONDS = 25.0
_REST_SECONDS = 10.0
_LEAST_ROUNDS = 2
_LAST_ROUNDS = 3  # what is compared with the first: one look may fall into some work of its own

# A process: what it is, and which of its kind.
Place = tuple[str, int]


@dataclass(frozen=True)
class Held:
    """What one process held at rest after one round: of several looks, the least."""

    rss_mb: float
    pss_mb: float
    threads: int
    descriptors: int

    def __str__(self) -> str:
        return f"{self.rss_mb:.1f} MB, {self.threads} threads, {self.descriptors} descriptors"


@dataclass
class Soak:
    """What was found so far. `rests` has one entry a round, of each process."""

    rests: dict[Place, list[Held]] = field(default_factory=lambda: defaultdict(list))
    worst_rss_mb: dict[Place, float] = field(default_factory=lambda: defaultdict(float))
    pids: dict[Place, set[int]] = field(default_factory=lambda: defaultdict(set))

    def note(self, looks: Sequence[Vitals]) -> dict[Place, Vitals]:
        """What was seen at one moment, by process."""
        found = dict(_places(looks))
        for place, vitals in found.items():
            self.worst_rss_mb[place] = max(self.worst_rss_mb[place], vitals.rss_mb)
            self.pids[place].add(vitals.pid)
        return found


def lines(minutes: float) -> Iterator[str]:
    """For so long against the sandbox, then as long against the real signal-cli, if it is here.

    Raises SystemExit with 1 after the last line if anything is not as it should be.
    """
    problems: list[str] = []
    yield from _soaked("sandbox", {"MODE": "sandbox"}, Correspondents, minutes, problems)
    program = os.environ.get("BRIDGE_SIGNAL_CLI") or str(ROOT / ".signal-cli/bin/signal-cli")
    if os.path.exists(program):
        settings = {"MODE": "json-rpc", "BRIDGE_SIGNAL_CLI": os.path.abspath(program)}
        yield from _soaked("the real signal-cli", settings, Asker, minutes, problems)
    yield from (f"  NOT as it should be: {problem}" for problem in problems)
    if problems:
        raise SystemExit(1)


def _soaked(
    name: str,
    settings: dict[str, str],
    companion_of: Callable[[int], Companion],
    minutes: float,
    problems: list[str],
) -> Iterator[str]:
    soak = Soak()
    with bridge(**settings) as running:
        companion = companion_of(running.port)
        ends_at = time.monotonic() + minutes * 60
        with going_along(companion):
            for number in itertools.count(1):
                yield from _round(running, soak, f"{name}, round {number}")
                if number >= _LEAST_ROUNDS and time.monotonic() >= ends_at:
                    break
    yield f"\n{name}: {companion.done} honest requests, {len(companion.problems)} went wrong"
    yield from _table(soak)
    problems += [f"{name}: {one}" for one in (*companion.problems, *problems_of(soak))]


def _round(running: Bridge, soak: Soak, name: str) -> Iterator[str]:
    for attack in ATTACKS:
        with under(attack, running.port, running.home, _ATTACK_SECONDS + 60):
            _look(running, soak, _ATTACK_SECONDS)
    _look(running, soak, _SETTLE_SECONDS)
    seen = _look(running, soak, _REST_SECONDS)
    for place, looks in seen.items():
        soak.rests[place].append(_least(looks))
    held = [f"{_name(place)} {rests[-1]}" for place, rests in soak.rests.items()]
    yield f"{name}: {'; '.join(held)}"


def _look(running: Bridge, soak: Soak, seconds: float) -> dict[Place, list[Vitals]]:
    """What each process held, again and again for so long."""
    seen: dict[Place, list[Vitals]] = defaultdict(list)
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        for place, vitals in soak.note(running.vitals()).items():
            seen[place].append(vitals)
        time.sleep(_SAMPLE_SECONDS)
    return seen


def _places(looks: Sequence[Vitals]) -> Iterator[tuple[Place, Vitals]]:
    counts: dict[str, int] = defaultdict(int)
    for vitals in sorted(looks, key=lambda one: one.pid):
        yield (vitals.kind, counts[vitals.kind]), vitals
        counts[vitals.kind] += 1


def _least(looks: Sequence[Vitals]) -> Held:
    return Held(
        min(one.rss_mb for one in looks),
        min(one.pss_mb for one in looks),
        min(one.threads for one in looks),
        min(one.descriptors for one in looks),
    )


def _last(rests: Sequence[Held]) -> Held:
    """Of the last rounds, but never of the first."""
    last = rests[1:][-_LAST_ROUNDS:]
    return Held(
        statistics.median(one.rss_mb for one in last),
        statistics.median(one.pss_mb for one in last),
        min(one.threads for one in last),
        min(one.descriptors for one in last),
    )


def _table(soak: Soak) -> Iterator[str]:
    yield (
        f"{'process':14} {'':12} {'round 1':>10} {'last':>10} {'ratio':>8} {'highest at rest':>16}"
        f" {'under attack':>13}"
    )
    for place, rests in soak.rests.items():
        if len(rests) < _LEAST_ROUNDS:
            continue
        first, last = rests[0], _last(rests)
        at_worst = soak.worst_rss_mb[place]
        for what, unit in (
            ("rss_mb", "RSS, MB"),
            ("pss_mb", "PSS, MB"),
            ("threads", "threads"),
            ("descriptors", "descriptors"),
        ):
            was, now = getattr(first, what), getattr(last, what)
            highest = max(getattr(one, what) for one in rests)
            worst = f"{at_worst:13.1f}" if what == "rss_mb" else f"{'':13}"
            yield (
                f"{_name(place):14} {unit:12} {was:10.1f} {now:10.1f} {now / was:8.2f}"
                f" {highest:16.1f} {worst}"
            )


def problems_of(soak: Soak) -> Iterator[str]:
    """A sentence for each thing that is not as it should be."""
    rounds = max(map(len, soak.rests.values()), default=0)
    for place, rests in soak.rests.items():
        if len(soak.pids[place]) > 1:
            yield f"{_name(place)} was replaced: {sorted(soak.pids[place])}"
        if len(rests) < rounds:
            yield f"{_name(place)} was not there all the time"
            continue
        first, last = rests[0], _last(rests)
        if last.rss_mb > first.rss_mb * MOST_RATIO:
            yield f"memory of {_name(place)}: {first.rss_mb:.1f} MB -> {last.rss_mb:.1f} MB"
        if last.threads > first.threads:
            yield f"threads of {_name(place)}: {first.threads} -> {last.threads}"
        if last.descriptors > first.descriptors:
            yield f"descriptors of {_name(place)}: {first.descriptors} -> {last.descriptors}"


def _name(place: Place) -> str:
    kind, number = place
    return kind if number == 0 else f"{kind} {number + 1}"
