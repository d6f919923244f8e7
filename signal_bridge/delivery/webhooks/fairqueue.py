"""A queue in which many that wait for the same do not stand before those who wait for another."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Generic, TypeVar

_Item = TypeVar("_Item")


class FairQueue(Generic[_Item]):
    """Items, each with its origin and a number that grows. Belongs to one thread at a time.

    Origins take turns; the items of one leave in their order.
    """

    def __init__(self) -> None:
        self._by_origin: OrderedDict[str, deque[tuple[int, _Item]]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def first_number(self) -> int:
        """That of the next item. IndexError when there is none."""
        items = next(iter(self._by_origin.values()), deque())
        return items[0][0]

    def push(self, origin: str, number: int, item: _Item) -> None:
        """Put the item behind those of its origin."""
        self._by_origin.setdefault(origin, deque()).append((number, item))
        self._count += 1

    def pop(self) -> _Item:
        """Take the next item away. KeyError when there is none."""
        origin, items = self._by_origin.popitem(last=False)
        _number, item = items.popleft()
        if items:
            self._by_origin[origin] = items
        self._count -= 1
        return item
