"""Which events a reader wants: by account, kind and sender."""

from __future__ import annotations

import dataclasses
import fnmatch
from collections.abc import Iterable
from typing import Final

from signal_bridge.errors import RequestError
from signal_bridge.feed.event import Event

EVERY_ACCOUNT: Final = "*"

# What signal-cli tells, and what the bridge says of itself: the names of the latter have a dot.
FIRST_SIGNAL_KINDS: Final = (
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
"""Those of the first version, which took the later ones for messages."""
SIGNAL_KINDS: Final = (
    *FIRST_SIGNAL_KINDS,
    "admin_delete",
    "pin",
    "unpin",
    "poll",
    "poll_vote",
    "poll_close",
    "timer",
    "group_update",
    "payment",
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

    @property
    def is_whole(self) -> bool:
        """Whether it wants everything that signal-cli tells, and nothing else."""
        return not self.senders and set(self.kinds) == set(SIGNAL_KINDS)

    @property
    def kinds_in_key(self) -> tuple[str, ...]:
        """The kinds by which a database knows the filter: the same before and after new ones came.

        It is unambiguous: who wants the first kinds of signal-cli wants all (`kinds_of`).
        """
        if set(SIGNAL_KINDS) <= set(self.kinds):
            return (*FIRST_SIGNAL_KINDS, *self.own_kinds)
        return self.kinds

    @property
    def own_kinds(self) -> tuple[str, ...]:
        """The kinds wanted of what the bridge says of itself."""
        return tuple(kind for kind in self.kinds if kind in OWN_KINDS)

    def matches(self, event: Event) -> bool:
        """Whether the event is wanted."""
        if event.kind not in self.kinds:
            return False
        mine = self.account in (EVERY_ACCOUNT, event.account)
        if not mine and (event.account or event.kind not in OWN_KINDS):
            return False
        return (
            not self.senders
            or event.sender_uuid in self.senders
            or (event.sender_number in self.senders)
        )


def kinds_of(types: Iterable[str], default: tuple[str, ...] = SIGNAL_KINDS) -> tuple[str, ...]:
    """The kinds that `types` name: words, with `*` for many. None named: the default.

    Who names every kind that the first version knew wants everything that signal-cli tells: clients
    and databases have such lists. Raises RequestError for a word that fits nothing.
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
    every = (*SIGNAL_KINDS, *OWN_KINDS)
    named = {kind for kind in every for word in words if fnmatch.fnmatchcase(kind, word)}
    if named.issuperset(FIRST_SIGNAL_KINDS):
        named.update(SIGNAL_KINDS)
    return tuple(kind for kind in every if kind in named)
