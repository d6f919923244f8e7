"""When to have signal-cli try an account again, and when to start it anew for one. Pure.

signal-cli 0.14 loads an account that is named in a call, but holds up every other account's calls
meanwhile: without a network for ten seconds. 0.13 loads accounts when it starts and never again.
So an account is *tried* first, and a restart comes when tries have not helped:

                        tries, after one another          restarts
    nobody else works   0, 1, 2, 4, 8, 15, 15 … s         30 s, 1, 2, 4, 5, 5 … min
    others work         0, 5, 10, 20, 40, 60, 60 … s      40 s, 5, 10, 20, 30, 30 … min

The first restart is early because most trouble is that of a machine that has just booted. An
account that stays away for days then costs the others some seconds twice an hour.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Final, NamedTuple

# The waits before each try or restart, in seconds; the last one stays. Alone, and beside others.
_TRIES_ALONE: Final = (1.0, 2.0, 4.0, 8.0, 15.0)
_TRIES_BESIDE: Final = (5.0, 10.0, 20.0, 40.0, 60.0)
_RESTARTS_ALONE: Final = (30.0, 60.0, 120.0, 240.0, 300.0)
_RESTARTS_BESIDE: Final = (40.0, 300.0, 600.0, 1200.0, 1800.0)
# Fewer have not shown that tries do not help.
_TRIES_BEFORE_RESTART: Final = 3
# signal-cli needs a moment to end and to start.
_AFTER_RESTART_SECONDS: Final = 5.0
# After all was well for so long since a restart, the next trouble is another one.
_FORGET_SECONDS: Final = 3600.0


class Try(NamedTuple):
    """Have signal-cli load this account."""

    number: str


class Restart(NamedTuple):
    """Have signal-cli started anew."""


RESTART: Final = Restart()


@dataclasses.dataclass(frozen=True)
class Efforts:
    """What was done for the accounts that are missing. Times are in monotonic seconds.

    Whether a try helped is seen by the next look, not by its answer.
    """

    turns: tuple[str, ...] = ()  # those that are missing, the next to be tried first
    others_work: bool = False
    since: float = 0.0  # when one was missed first, or signal-cli was restarted for it last
    tries: int = 0  # since anything changed
    try_at: float = 0.0
    restarts: int = 0
    restarted_at: float = 0.0

    def after_look(self, missing: frozenset[str], others_work: bool, now: float) -> Efforts:
        """A look at the accounts found these `missing`, and others loaded or none."""
        same = dataclasses.replace(self, others_work=others_work)
        if missing == frozenset(self.turns):
            return same
        new = sorted(missing.difference(self.turns))
        turns = (*new, *(number for number in self.turns if number in missing))
        changed = dataclasses.replace(same, turns=turns, tries=0, try_at=now)
        return changed if self.turns else changed._begun(now)

    def due(self, now: float, may_restart: bool = True) -> Try | Restart | None:
        """What to do now; None to wait."""
        if not self.turns:
            return None
        if may_restart and self.tries >= _TRIES_BEFORE_RESTART and now >= self._restart_at():
            return RESTART
        return Try(self.turns[0]) if now >= self.try_at else None

    def after_try(self, now: float) -> Efforts:
        """The one whose turn it was has been tried; `now` is when that ended."""
        waits = _TRIES_BESIDE if self.others_work else _TRIES_ALONE
        return dataclasses.replace(
            self,
            turns=(*self.turns[1:], *self.turns[:1]),
            tries=self.tries + 1,
            try_at=now + _nth(waits, self.tries),
        )

    def after_restart(self, now: float) -> Efforts:
        """signal-cli is being started anew."""
        return dataclasses.replace(
            self,
            since=now,
            tries=0,
            try_at=now + _AFTER_RESTART_SECONDS,
            restarts=self.restarts + 1,
            restarted_at=now,
        )

    def _begun(self, now: float) -> Efforts:
        """Until now nobody was missing."""
        forget = now - self.restarted_at > _FORGET_SECONDS
        return dataclasses.replace(self, since=now, restarts=0 if forget else self.restarts)

    def _restart_at(self) -> float:
        waits = _RESTARTS_BESIDE if self.others_work else _RESTARTS_ALONE
        return self.since + _nth(waits, self.restarts)


def _nth(waits: Sequence[float], n: int) -> float:
    return waits[min(n, len(waits) - 1)]
