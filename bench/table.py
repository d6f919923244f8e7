"""The same thing measured small and large, and whether it has grown.

Two figures that are both next to nothing say little by their ratio: what differs by less than the
noise of its unit counts as flat, and the table says so.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

MOST_RATIO = 1.5


@dataclass(frozen=True)
class Unit:
    """`noise` is the difference below which nothing is said. Of a rate more is better."""

    name: str
    noise: float = 0.0
    is_rate: bool = False


MS = Unit("ms", noise=0.3)
WORST_MS = Unit("ms at worst", noise=10.0)
START_SECONDS = Unit("s", noise=0.1)
CPU = Unit("% CPU", noise=0.2)
MB = Unit("MB", noise=5.0)
RATE = Unit("/s", is_rate=True)
UNITS = (MS, WORST_MS, START_SECONDS, CPU, MB)


@dataclass(frozen=True)
class Growth:
    """One row: `name`, measured in what is small and in what is large."""

    name: str
    unit: Unit
    small: float
    large: float

    @property
    def ratio(self) -> float:
        """How many times as much it costs in what is large."""
        costs, cost = (self.small, self.large) if self.unit.is_rate else (self.large, self.small)
        return costs / cost if cost else float("inf") if costs else 1.0

    @property
    def is_within_noise(self) -> bool:
        return not self.unit.is_rate and abs(self.large - self.small) < self.unit.noise

    @property
    def is_flat(self) -> bool:
        return self.ratio <= MOST_RATIO or self.is_within_noise

    def __str__(self) -> str:
        small, large = (f"{_shown(value)} {self.unit.name}" for value in (self.small, self.large))
        verdict = "yes" if self.is_flat else "NO"
        if self.ratio > MOST_RATIO and self.is_within_noise:
            verdict = "yes: less than noise"
        return f"{self.name:48} {small:>18} {large:>18} {self.ratio:8.2f} x  {verdict}"


def heading(title: str, small: str, large: str) -> str:
    flat = f"flat within {MOST_RATIO:g} x"
    return f"\n{title:48} {small:>18} {large:>18} {'ratio':>10}  {flat}"


def remark() -> str:
    """What counts as noise."""
    floors = ", ".join(f"{unit.noise:g} {unit.name}" for unit in UNITS)
    return f"Medians unless they say otherwise. What differs by less counts as flat: {floors}."


def in_turns(name: str, unit: Unit, sides: Sequence[Callable[[], float]], rounds: int) -> Growth:
    """The medians of what is measured small, large, small, large …: noise is in both."""
    found = [[side() for side in sides] for _ in range(rounds)]
    return median_of(name, unit, found)


def median_of(name: str, unit: Unit, found: Iterable[Sequence[float]]) -> Growth:
    """The medians of pairs."""
    small, large = zip(*found, strict=True)
    return Growth(name, unit, statistics.median(small), statistics.median(large))


def _shown(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
