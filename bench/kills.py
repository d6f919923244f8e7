"""Messages flow while one process of the bridge after another is killed, on both databases.

    make bench ARGS=--kills
    make bench ARGS='--kills --messages 20000 --seed 7'

What is run, and what has to hold, stands in tests/faults/marathon.py.
"""

from __future__ import annotations

from collections.abc import Iterator

from bench.databases import POSTGRESQL, SQLITE, is_there
from tests.faults import marathon
from tests.support import databases

KILLS = 20
MESSAGES = 100_000
_KINDS = {SQLITE: databases.SQLITE, POSTGRESQL: databases.POSTGRESQL}


def lines(messages: int, seed: int) -> Iterator[str]:
    """One line a database, and one for each thing that is not as it should be."""
    for name, kind in _KINDS.items():
        if not is_there(name):
            yield f"{name}: not run, since it is not installed"
            continue
        result = marathon.run(kind, marathon.plan(kind, messages, KILLS, seed))
        yield f"{name}, {messages:,} messages, seed {seed}: {told(result)}"
        yield from (f"  NOT as it should be: {problem}" for problem in result.problems)


def told(result: marathon.Result) -> str:
    lost = ", ".join(f"{count} {where}" for where, count in result.lost.items())
    doubled = ", ".join(f"{count} {where}" for where, count in result.doubled.items())
    silent = ", ".join(
        f"{seconds:.1f} s {where} (after {victim})"
        for where, (seconds, victim) in result.silence.items()
    )
    return (
        f"{result.kills} kills in {result.seconds:.0f} s; lost: {lost}; doubled: {doubled}; "
        f"longest silence: {silent}; {'NOT ' if result.problems else ''}all as it should be"
    )
