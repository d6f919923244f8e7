"""Which accounts there are, and what became of those that are gone.

signal-cli says nothing when an account is logged out: it is only missing from `listAccounts`
(signal-cli.rst 0.10). So the list is compared with what was known and with what is on disk,
and each difference becomes an event of its own in the feed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import orjson
import sqlalchemy as sa

from signal_bridge.clock import now_ms
from signal_bridge.feed.event import Arrival
from signal_bridge.feed.feed import Feed
from signal_bridge.feed.own import own_event
from signal_bridge.store.bells import ACCOUNTS
from signal_bridge.store.engine import Store, Unit
from signal_bridge.store.tables import accounts, events

LINKED: Final = "linked"  # signal-cli has it
MISSING: Final = "missing"  # it is on disk and signal-cli has not loaded it
UNLINKED: Final = "unlinked"  # Signal or its owner has logged it out, or it was deleted

_DETAILS: Final = {
    LINKED: "signal-cli sends and receives for it",
    MISSING: "signal-cli has not loaded it",
    UNLINKED: "it was logged out or deleted; link or register it again",
}
_SEEN_TO: Final = "; the bridge has it try again until it has"


@dataclasses.dataclass(frozen=True)
class Account:
    """An account as far as it is known; `since_ms` is when it entered its state."""

    number: str
    state: str
    detail: str
    since_ms: int


def compare(
    known: Mapping[str, str], listed: frozenset[str], on_disk: Mapping[str, bool] | None
) -> dict[str, str]:
    """The accounts whose state changes, with their new state. Pure.

    `known` is number → state, `listed` what signal-cli has loaded, `on_disk` number → whether
    its data says that it is registered; None when that cannot be read.
    """
    changes = {}
    found = (n for n, registered in (on_disk or {}).items() if registered)
    for number in sorted({*known, *listed, *found}):
        state = _state(number, known.get(number), listed, on_disk)
        if known.get(number) != state:
            changes[number] = state
    return changes


def read_disk(config_dir: Path, listed: frozenset[str] = frozenset()) -> dict[str, bool] | None:
    """The accounts in signal-cli's own files, and whether each is registered (signal-cli.rst 4.2).

    Those that are `listed` are, without looking. None when the files cannot be read: a daemon of
    somebody else's keeps them elsewhere.
    """
    entries = _json_in(config_dir / "data" / "accounts.json").get("accounts")
    if not isinstance(entries, list):
        return None
    return {
        entry["number"]: entry["number"] in listed
        or _is_registered(config_dir / "data" / str(entry.get("path")))
        for entry in entries
        if isinstance(entry, dict) and isinstance(entry.get("number"), str)
    }


class AccountBook:
    """The known accounts in the database. Methods raise StoreError."""

    def __init__(self, store: Store, feed: Feed) -> None:
        self._store = store
        self._feed = feed
        # The states as they were read last, and the text that they were in.
        self._read_last: tuple[str, Mapping[str, str]] = ("", {})
        # Who was found once is not looked for again; adding to a set needs no lock.
        self._found: set[str] = set()

    def all(self) -> list[Account]:
        """Every account that was ever seen, by number; those that are gone are unlinked."""
        with self._store.read() as connection:
            rows = connection.execute(sa.select(accounts).order_by(accounts.c.number))
            return [Account(*row) for row in rows]

    def missing(self) -> dict[str, str]:
        """The accounts that signal-cli has not loaded, by number, with what is known of why."""
        query = sa.select(accounts.c.number, accounts.c.detail).where(accounts.c.state == MISSING)
        with self._store.read() as connection:
            rows = connection.execute(query.order_by(accounts.c.number))
            return {row.number: row.detail for row in rows}

    def on_change(self, wake: Callable[[], None]) -> None:
        """Have `wake` called on thread `bells` whenever something may have changed, and now."""
        self._store.bells.listen(ACCOUNTS, wake)

    def states(self) -> Mapping[str, str]:
        """The state of each, by its number.

        Read as one text: a thousand accounts cost half of what a thousand rows do.
        """
        entry = accounts.c.number + ":" + accounts.c.state
        with self._store.read() as connection:
            text = connection.scalar(sa.select(sa.func.aggregate_strings(entry, " "))) or ""
        known, states = self._read_last
        if text != known:
            states = dict(one.split(":") for one in text.split())
            self._read_last = text, states
        return states

    def knows(self, number: str) -> bool:
        """Whether the account is here or was, so that there may be something of it to read."""
        if number in self._found:
            return True
        found = number in self.states() or self.last_event_ms(number) is not None
        if found:
            self._found.add(number)
        return found

    def update(
        self,
        known: Mapping[str, str],
        listed: frozenset[str],
        on_disk: Mapping[str, bool] | None,
        why_missing: str = "",
    ) -> frozenset[str]:
        """Note what has changed from the `known` states, and tell it in the feed.

        The accounts that are missing. `why_missing` is a sentence without an account in it.
        """
        changes = compare(known, listed, on_disk)
        if changes:
            details = {**_DETAILS, MISSING: _missing_because(why_missing)}
            with self._store.write() as unit:
                self._note(unit, changes, details)
                self._feed.tell(unit, [_event(n, s, details[s]) for n, s in changes.items()])
        everybody = {**known, **changes}.items()
        return frozenset(number for number, state in everybody if state == MISSING)

    def add(self, numbers: frozenset[str]) -> None:
        """Note accounts of a signal-cli that lists none: messages for them have arrived.

        Of the others it is not known that they are missing, nor that one that was unlinked is back.
        """
        if numbers:
            known = self.states()
            others = {number for number, state in known.items() if state != UNLINKED}
            self.update(known, numbers | others, on_disk=None)

    def explain_missing(self, why: str) -> None:
        """Why accounts are missing has become known, or is another reason by now."""
        detail = _missing_because(why)
        other = (accounts.c.state == MISSING) & (accounts.c.detail != detail)
        with self._store.write() as unit:
            unit.execute(sa.update(accounts).where(other).values(detail=detail))
            unit.ring(ACCOUNTS)

    def last_event_ms(self, number: str) -> int | None:
        """When the last event of an account arrived (ms since the epoch); None without one."""
        newest = (
            sa.select(events.c.received_at_ms)
            .where(events.c.account == number)
            .order_by(events.c.seq.desc())
            .limit(1)
        )
        with self._store.read() as connection:
            last: int | None = connection.scalar(newest)
            return last

    def _note(self, unit: Unit, changes: Mapping[str, str], details: Mapping[str, str]) -> None:
        unit.execute(sa.delete(accounts).where(accounts.c.number.in_(list(changes))))
        rows: list[dict[str, Any]] = [
            {"number": n, "state": s, "detail": details[s], "since_ms": now_ms()}
            for n, s in changes.items()
        ]
        unit.execute(sa.insert(accounts), rows)
        unit.ring(ACCOUNTS)


def _event(number: str, state: str, detail: str) -> Arrival:
    """What the feed is told of an account that has entered a state."""
    return own_event(f"account.{state}", number, detail=detail)


def _missing_because(why: str) -> str:
    return f"{_DETAILS[MISSING]}{f' ({why})' if why else ''}{_SEEN_TO}"


def _state(
    number: str,
    known: str | None,
    listed: frozenset[str],
    on_disk: Mapping[str, bool] | None,
) -> str:
    if number in listed:
        return LINKED
    if on_disk is None:  # nothing can be told from there
        return UNLINKED if known == UNLINKED else MISSING
    return MISSING if on_disk.get(number) else UNLINKED


def _is_registered(path: Path) -> bool:
    """Whether an account's data says so; data that cannot be read does not say otherwise."""
    return _json_in(path).get("registered") is not False


def _json_in(path: Path) -> dict[str, Any]:
    try:
        found = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return {}
    return found if isinstance(found, dict) else {}
