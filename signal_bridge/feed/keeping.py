"""What goes and what stays: the decisions of retention, without a database, a disk or a clock.

Events go as a prefix of the feed. That they are old must not rest on one time: a machine without
a clock chip stamps what arrives before its clock is set with any time. So there are three
witnesses: the time we stamped, the time at which Signal's server says it handed the event over,
and what this process itself has seen arrive (clockwatch.py). An event is old when nobody who is
to be believed says otherwise, and a prefix goes when that misjudges the fewest.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Sequence
from typing import Final

DAY_MS: Final = 86_400_000
# Whoever else writes has to wait for a batch.
MOST_EVENTS: Final = 500
_FEWEST_EVENTS: Final = 10
_BATCH_SECONDS: Final = 0.1
_OLD, _UNKNOWN, _FRESH = 1, 0, -1


@dataclasses.dataclass(frozen=True)
class Candidate:
    """One of the oldest events of the feed.

    `received_at_ms` is by this machine's clock, right or wrong; `delivered_at_ms` by the clock of
    Signal's server, None where the event does not say.
    """

    seq: int
    received_at_ms: int
    delivered_at_ms: int | None
    size_bytes: int


@dataclasses.dataclass(frozen=True)
class Limits:
    """How events are judged: those from before `oldest_ms` are old, when it is `now_ms`.

    What has a seq above `young_above` is younger than that, whatever it says; None for unknown.
    `follows_old`: what was before them went because it was old.
    """

    now_ms: int
    oldest_ms: int
    young_above: int | None = None
    follows_old: bool = False


def through_age(window: Sequence[Candidate], limits: Limits) -> int:
    """The seq up to which the oldest events of the feed, in order, are too old; 0 for none.

    The prefix in which old events outnumber fresh ones by most, the shorter of two. One that
    rests on a single time of ours stays for as long as what follows is fresh.
    """
    votes = [_vote(event, limits) for event in window]
    margins = list(itertools.accumulate(votes, initial=0))
    length = margins.index(max(margins))
    if not length:
        return 0
    sure = (
        limits.follows_old
        or margins[length] > 1
        or _FRESH not in votes
        or _two_witnesses(window, votes[:length])
    )
    return window[length - 1].seq if sure else 0


def through_size(window: Sequence[Candidate], excess_bytes: int) -> int:
    """The seq up to which the oldest events have to go to make that much room; 0 for none.

    The last of the window when that is not enough.
    """
    through = 0
    for event in window:
        if excess_bytes <= 0:
            break
        through = event.seq
        excess_bytes -= event.size_bytes
    return through


def at_once(window: Sequence[Candidate], through: int, most_events: int, most_bytes: int) -> int:
    """`through`, or less: so that no more than this goes at once. One event always may."""
    going = [event for event in window if event.seq <= through][:most_events]
    sizes = itertools.accumulate(event.size_bytes for event in going)
    fitting = sum(size_bytes <= most_bytes for size_bytes in sizes)
    return going[max(fitting, 1) - 1].seq if going else 0


def next_batch(events: int, took_seconds: float) -> int:
    """How many events to remove at once, when for `events` it took so long.

    On a slow disk fewer, so that nobody waits for long; more again where it is quick.
    """
    fitting = events * _BATCH_SECONDS / max(took_seconds, 0.001)
    return round(max(_FEWEST_EVENTS, min(fitting, 2 * events, MOST_EVENTS)))


def _vote(event: Candidate, limits: Limits) -> int:
    if limits.young_above is not None and event.seq > limits.young_above:
        return _FRESH
    times = _times(event, limits.now_ms)
    if not times:
        return _UNKNOWN
    return _OLD if max(times) < limits.oldest_ms else _FRESH


def _times(event: Candidate, now_ms: int) -> list[int]:
    """Those to be believed. A stamp of ours from the future is wrong; Signal's means ours is."""
    ours = [event.received_at_ms] if event.received_at_ms < now_ms + DAY_MS else []
    theirs = [event.delivered_at_ms] if event.delivered_at_ms else []
    return ours + theirs


def _two_witnesses(window: Sequence[Candidate], votes: Sequence[int]) -> bool:
    """Whether nothing in the prefix is fresh, and both clocks say of one event that it is old."""
    if _FRESH in votes:
        return False
    return any(
        vote == _OLD and event.delivered_at_ms for event, vote in zip(window, votes, strict=False)
    )


# -- what was removed ------------------------------------------------------------------------------


@dataclasses.dataclass
class Tally:
    """What was removed of one account and kind, up to `through`."""

    through: int = 0
    removed: int = 0
    unread: int = 0
    parked: int = 0


class Reached:
    """How far anybody has read each account: the furthest `positions` of its readers.

    Those who read every account ("*") count for each. What belongs to no account is for everybody.
    """

    def __init__(self, positions: Iterable[tuple[str, int]]) -> None:
        self._furthest: dict[str, int] = {}
        for account, position in positions:
            self._furthest[account] = max(position, self._furthest.get(account, 0))

    def position(self, account: str) -> int:
        """The seq up to which its events were read, 0 for none."""
        if not account:
            return max(self._furthest.values(), default=0)
        return max(self._furthest.get(account, 0), self._furthest.get("*", 0))


def tallies(
    removed: Iterable[tuple[int, str, str]], parked: Iterable[int], reached: Reached
) -> dict[tuple[str, str], Tally]:
    """By account and kind. `removed` are seq, account, kind; `parked` the seqs of parked rows."""
    found: dict[tuple[str, str], Tally] = {}
    of_seq: dict[int, Tally] = {}
    for seq, account, kind in removed:
        tally = of_seq[seq] = found.setdefault((account, kind), Tally())
        tally.through = max(tally.through, seq)
        tally.removed += 1
        tally.unread += seq > reached.position(account)
    for seq in parked:
        if seq in of_seq:
            of_seq[seq].parked += 1
    return found


# -- files -----------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class File:
    """A received file, last written at `modified_at` (seconds since the epoch)."""

    name: str
    modified_at: float
    size_bytes: int


def files_to_remove(files: Iterable[File], oldest_at: float, limit_bytes: int) -> list[File]:
    """Those last written before `oldest_at`, and the oldest above `limit_bytes` (0 is any)."""
    by_age = sorted(files, key=lambda file: file.modified_at)
    total_bytes = sum(file.size_bytes for file in by_age)
    going = []
    for file in by_age:
        if file.modified_at >= oldest_at and not (limit_bytes and total_bytes > limit_bytes):
            break
        going.append(file)
        total_bytes -= file.size_bytes
    return going
