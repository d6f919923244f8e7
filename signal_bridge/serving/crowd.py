"""Who has to go when there is no room: of whom there are most, the one that waited longest. Pure.

Used on the thread of the event loop alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Generic, Protocol, TypeVar


class Member(Protocol):
    """A connection that waits: idle, or with a request that is not whole."""

    owner: str
    until: float


_One = TypeVar("_One")
_Member = TypeVar("_Member", bound=Member)


class Crowd(Generic[_Member]):
    """The connections that wait, by client, in the order in which they began to."""

    def __init__(self) -> None:
        self._by_client: Final[dict[str, dict[_Member, None]]] = {}

    def __iter__(self) -> Iterator[_Member]:
        return (one for own in tuple(self._by_client.values()) for one in tuple(own))

    def __len__(self) -> int:
        return sum(map(len, self._by_client.values()))

    def add(self, one: _Member) -> None:
        """It begins to wait, under its owner's name."""
        self._by_client.setdefault(one.owner, {})[one] = None

    def remove(self, one: _Member) -> None:
        """It waits no longer. Its owner must be the one it was added under."""
        own = self._by_client[one.owner]
        del own[one]
        if not own:
            del self._by_client[one.owner]

    def late(self, now: float) -> list[_Member]:
        """Those whose time is up."""
        return [one for one in self if one.until <= now]

    def of(self, owner: str) -> Iterable[_Member]:
        """Those of one client, in their order."""
        return self._by_client.get(owner, ())

    def count_of(self, owner: str) -> int:
        """How many of this client wait."""
        return len(self._by_client.get(owner, ()))

    def first_to_go(self) -> _Member | None:
        """Of the client with the most, the one that has waited longest."""
        if not self._by_client:
            return None
        fullest = max(self._by_client, key=lambda owner: len(self._by_client[owner]))
        return next(iter(self._by_client[fullest]))


def slowest_of_most(those: Sequence[_One], speed: Callable[[_One], tuple[str, float]]) -> _One:
    """By `speed`, which gives a client and bytes per second: of the client with the most of them,
    the slowest. There must be some.
    """
    known = [(*speed(one), one) for one in those]
    held = Counter(client for client, _speed, _one in known)
    most = max(held.values())
    return min((entry for entry in known if held[entry[0]] == most), key=lambda entry: entry[1])[2]
