"""Which events a reader wants: by account, kind and sender."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Sequence
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


MOST_WORDS: Final = 100
"""How many types or senders somebody may name. There are thirty types."""
MOST_PATTERNS: Final = 16
"""How many of the types may have a `*`: each is held against every type."""
LONGEST_WORD: Final = 64

_EVERY_KIND: Final = (*SIGNAL_KINDS, *OWN_KINDS)
_LONGEST_KIND: Final = max(map(len, _EVERY_KIND))
_STARS: Final = re.compile(r"\*{2,}")


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


def few_words(words: Iterable[str], what: str) -> list[str]:
    """The words of a request, trimmed, without those that are blank. `what` they are: for errors.

    Raises RequestError for more of them than MOST_WORDS, or a longer one than LONGEST_WORD.
    """
    trimmed = [text for word in words if (text := word.strip())]
    if len(trimmed) > MOST_WORDS:
        raise RequestError(f"There are more than {MOST_WORDS} {what}")
    if any(len(word) > LONGEST_WORD for word in trimmed):
        raise RequestError(f"One of the {what} is longer than {LONGEST_WORD} characters")
    return trimmed


def kinds_of(types: Iterable[str], default: tuple[str, ...] = SIGNAL_KINDS) -> tuple[str, ...]:
    """The kinds that `types` name: words, with `*` for many. None named: the default.

    Who names every kind that the first version knew wants everything that signal-cli tells: clients
    and databases have such lists. Raises RequestError for a word that fits nothing, or as
    `few_words`.
    """
    words = few_words(types, "types")
    if sum("*" in word for word in words) > MOST_PATTERNS:
        raise RequestError(f"More than {MOST_PATTERNS} of the types have a *")
    fitting = {word: _kinds_fitting(word) for word in words}
    for word, kinds in fitting.items():
        if not kinds:
            raise RequestError(
                f"There are no events of type {word}; the types are " + ", ".join(_EVERY_KIND)
            )
    return _in_order(fitting.values()) if words else default


def kinds_named(words: Iterable[str]) -> tuple[str, ...]:
    """The kinds that words name which were checked when they were given (`kinds_of`)."""
    return _in_order(map(_kinds_fitting, words))


def _in_order(fitting: Iterable[Iterable[str]]) -> tuple[str, ...]:
    named = {kind for kinds in fitting for kind in kinds}
    if named.issuperset(FIRST_SIGNAL_KINDS):
        named.update(SIGNAL_KINDS)
    return tuple(kind for kind in _EVERY_KIND if kind in named)


def _kinds_fitting(word: str) -> tuple[str, ...]:
    """No regular expression: the cost is bounded whatever the word is, and nothing is kept."""
    if "*" not in word:
        return (word,) if word in _EVERY_KIND else ()
    if len(word) - word.count("*") > _LONGEST_KIND:
        return ()
    parts = _STARS.sub("*", word).split("*")
    return tuple(kind for kind in _EVERY_KIND if _is_made_of(parts, kind))


def _is_made_of(parts: Sequence[str], kind: str) -> bool:
    """Whether the kind has the parts in their order, the first and the last at its ends."""
    first, *middle, last = parts
    if not (kind.startswith(first) and kind.endswith(last)):
        return False
    at, end = len(first), len(kind) - len(last)
    for part in middle:
        found = kind.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return at <= end
