"""A filter as SQL: each part of it is read along an index, in the order of the feed.

One condition for everything ("this account or none, these kinds") would make the database sort
the whole backlog for every page. So what is wanted is parted into runs that an index holds in
order already, each is cut at the limit, and only the numbers that are left of them are merged.

To put a statement together takes three times as long as to run it. So each is made once for all
filters that differ in the account alone, and is told the rest when it runs (`values`).
"""

from __future__ import annotations

import dataclasses
import functools
from typing import Any, Final

import sqlalchemy as sa

from signal_bridge.feed.filters import EVERY_ACCOUNT, OWN_KINDS, SIGNAL_KINDS, Filter
from signal_bridge.store.tables import events, pruned

PAGE_BYTES: Final = 2**20
"""Beyond this a page ends: who reads slowly has one in memory. A thousand usual events fit."""

_COLUMNS: Final = tuple(column for column in events.c)
_AFTER: Final = sa.bindparam("after", type_=sa.BigInteger)
_MOST: Final = sa.bindparam("most", type_=sa.BigInteger)
_ACCOUNT: Final = sa.bindparam("account", type_=sa.Text)
_SIZE: Final = sa.func.length(events.c.payload)  # known without the payload
_PAGE_BYTES: Final = sa.bindparam("page_bytes", type_=sa.BigInteger)
_ANY_ACCOUNT: Final = "any"
# Of the filters that are used again and again; one takes 30 to 150 KB.
_KEPT: Final = 50

_Statement = sa.Select[*tuple[Any, ...]]


def values(wanted: Filter, after: int, most: int) -> dict[str, Any]:
    """What a statement is told when it runs: whose events, above which seq, how many at most."""
    account = wanted.account
    return {"account": account, "after": after, "most": most, "page_bytes": PAGE_BYTES}


def page(wanted: Filter) -> _Statement:
    """At `most` so many events above `after`, oldest first, each with `lost_through`.

    Fewer when they are large: the one that makes them PAGE_BYTES is the last. `lost_through` is
    the seq up to which retention has removed what was wanted, null when nothing: read in one
    statement with the events, so that none can vanish between the two.
    """
    return _page(_of_any_account(wanted))


def lost_through(wanted: Filter) -> _Statement:
    """Up to which seq what was wanted above `after` is no longer kept; null when it is."""
    return _lost_through(_of_any_account(wanted))


def count(wanted: Filter) -> _Statement:
    """How many there are above `after`, counted up to `most`: `found`, with `first` and `last`."""
    return _count(_of_any_account(wanted))


def count_within(wanted: Filter) -> _Statement:
    """How many there are above `after`, among the `most` numbers that follow it."""
    return _count_within(_of_any_account(wanted))


def _of_any_account(wanted: Filter) -> Filter:
    if wanted.account in (EVERY_ACCOUNT, ""):
        return wanted
    return dataclasses.replace(wanted, account=_ANY_ACCOUNT)


@functools.lru_cache(_KEPT)
def _page(wanted: Filter) -> _Statement:
    """Only numbers and sizes are sorted and added up: a payload that is not in the page is never
    read, by neither the database nor its driver, which takes in all that a statement finds."""
    runs = _union_of_runs(wanted, (events.c.seq, _SIZE.label("size_bytes")))
    few = sa.select(runs).order_by(runs.c.seq).limit(_MOST).subquery()
    through = sa.func.sum(few.c.size_bytes).over(order_by=few.c.seq)
    sized = sa.select(few.c.seq, (through - few.c.size_bytes).label("before_bytes")).subquery()
    chosen = sa.select(sized.c.seq).where(sized.c.before_bytes < _PAGE_BYTES)
    lost = _lost_through(wanted).scalar_subquery().label("lost_through")
    return sa.select(*_COLUMNS, lost).where(events.c.seq.in_(chosen)).order_by(events.c.seq)


@functools.lru_cache(_KEPT)
def _lost_through(wanted: Filter) -> _Statement:
    lost = [pruned.c.through_seq > _AFTER, pruned.c.kind.in_(wanted.kinds)]
    if wanted.account != EVERY_ACCOUNT:
        lost.append(pruned.c.account.in_([_ACCOUNT, sa.literal("")]))
    return sa.select(sa.func.max(pruned.c.through_seq)).where(*lost)


@functools.lru_cache(_KEPT)
def _count(wanted: Filter) -> _Statement:
    chosen = _union_of_runs(wanted, (events.c.seq,))
    counted = sa.select(chosen.c.seq).order_by(chosen.c.seq).limit(_MOST).subquery()
    seq = counted.c.seq
    return sa.select(
        sa.func.count().label("found"),
        sa.func.min(seq).label("first"),
        sa.func.max(seq).label("last"),
    ).select_from(counted)


@functools.lru_cache(_KEPT)
def _count_within(wanted: Filter) -> _Statement:
    within = [events.c.seq > _AFTER, events.c.seq <= _AFTER + _MOST]
    chosen = [*within, *_mine(wanted), events.c.kind.in_(wanted.kinds)]
    return sa.select(sa.func.count()).select_from(events).where(*chosen)


def _union_of_runs(wanted: Filter, columns: tuple[Any, ...]) -> Any:
    """At `most` so many rows of each run, not in order yet."""
    runs = [
        sa.select(*columns).where(events.c.seq > _AFTER, *run).order_by(events.c.seq).limit(_MOST)
        for run in _runs(wanted)
    ]
    if len(runs) == 1:
        return runs[0].subquery()
    return sa.union_all(*(sa.select(run.subquery()) for run in runs)).subquery()


def _runs(wanted: Filter) -> list[list[sa.ColumnElement[bool]]]:
    """The conditions of each run. No event is in two of them."""
    runs = [[*_mine(wanted), *kinds] for kinds in _kinds(wanted)]
    if wanted.account not in (EVERY_ACCOUNT, "") and wanted.own_kinds and not wanted.senders:
        # what the bridge says of itself and of no account is for everybody
        runs.append([events.c.account == "", events.c.kind.in_(wanted.own_kinds)])
    return runs


def _mine(wanted: Filter) -> list[sa.ColumnElement[bool]]:
    """The account and the senders."""
    mine: list[sa.ColumnElement[bool]] = []
    if wanted.account != EVERY_ACCOUNT:
        mine.append(events.c.account == _ACCOUNT)
    if wanted.senders:
        senders = wanted.senders
        by = events.c.sender_uuid.in_(senders) | events.c.sender_number.in_(senders)
        mine.append(by)
    return mine


def _kinds(wanted: Filter) -> list[list[sa.ColumnElement[bool]]]:
    """Few kinds: a run each. Nearly all: one run, and the few that are not wanted are skipped."""
    if set(SIGNAL_KINDS) <= set(wanted.kinds):
        others = [kind for kind in OWN_KINDS if kind not in wanted.kinds]
        return [[events.c.kind.not_in(others)] if others else []]
    return [[events.c.kind == kind] for kind in wanted.kinds]
