"""Which events a reader wants: by account, kind and sender."""

from __future__ import annotations

import dataclasses
import fnmatch
from collections.abc import Iterable
from typing import Final

import sqlalchemy as sa

from signal_bridge.errors import RequestError
from signal_bridge.store.tables import events

EVERY_ACCOUNT: Final = "*"

# What signal-cli tells, and what the bridge says of itself.
SIGNAL_KINDS: Final = (
    "message",
    "edit",
    "reaction",
    "delete",
    "story",
    "sync",
    "call",
    "receipt",
    "typing",
    "error",
    "other",
)
OWN_KINDS: Final = (
    "account.linked",
    "account.unlinked",
    "account.missing",
    "account.rate_limited",
    "daemon.restarted",
    "feed.pruned",
    "webhook.disabled",
    "webhook.parked",
    "webhook.test",
)


@dataclasses.dataclass(frozen=True)
class Filter:
    """Events of `account` ("*" is every one) that are of one of `kinds` and from one of `senders`.

    What the bridge says of itself and of no account is for everybody. No senders means any.
    """

    account: str = EVERY_ACCOUNT
    kinds: tuple[str, ...] = SIGNAL_KINDS
    senders: tuple[str, ...] = ()

    def condition(self) -> sa.ColumnElement[bool]:
        """What the database has to look for."""
        wanted: list[sa.ColumnElement[bool]] = [events.c.kind.in_(self.kinds)]
        if self.account != EVERY_ACCOUNT:
            for_everybody = (events.c.account == "") & events.c.kind.in_(OWN_KINDS)
            wanted.append((events.c.account == self.account) | for_everybody)
        if self.senders:
            wanted.append(
                events.c.sender_uuid.in_(self.senders) | events.c.sender_number.in_(self.senders)
            )
        return sa.and_(*wanted)


def kinds_of(types: Iterable[str], default: tuple[str, ...] = SIGNAL_KINDS) -> tuple[str, ...]:
    """The kinds that `types` name: words, with `*` for many. None named: the default.

    Raises RequestError for a word that fits nothing.
    """
    words = [word.strip() for word in types if word.strip()]
    if not words:
        return default
    for word in words:
        if not any(fnmatch.fnmatchcase(kind, word) for kind in (*SIGNAL_KINDS, *OWN_KINDS)):
            raise RequestError(
                f"There are no events of type {word}; the types are "
                + ", ".join((*SIGNAL_KINDS, *OWN_KINDS))
            )
    return tuple(
        kind
        for kind in (*SIGNAL_KINDS, *OWN_KINDS)
        if any(fnmatch.fnmatchcase(kind, word) for word in words)
    )
