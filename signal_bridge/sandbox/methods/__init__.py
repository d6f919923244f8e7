"""All methods, and which account each of them needs (signal-cli.rst 1.6)."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

from signal_bridge.sandbox.call import Handler
from signal_bridge.sandbox.methods import (
    account,
    calls,
    contacts,
    daemon,
    groups,
    messages,
    numbers,
    polls,
    stickers,
    stories,
)


class Needs(enum.Enum):
    """What a method has to do with an account."""

    LOADED = "runs for one loaded account"
    OPTIONAL = "takes one, but works without"
    IGNORED = "does not look at it"
    NEW = "is about one that is not loaded"


@dataclass(frozen=True)
class Method:
    """One method. `multi_only` ones do not exist in single-account mode (`-a`)."""

    run: Handler
    needs: Needs
    multi_only: bool


_NEEDS: Final = {
    "version": Needs.OPTIONAL,
    "subscribeReceive": Needs.OPTIONAL,
    "unsubscribeReceive": Needs.OPTIONAL,
    "subscribeCallEvents": Needs.OPTIONAL,
    "unsubscribeCallEvents": Needs.OPTIONAL,
    "listAccounts": Needs.IGNORED,
    "startLink": Needs.IGNORED,
    "finishLink": Needs.IGNORED,
    "register": Needs.NEW,
    "verify": Needs.NEW,
    "deleteLocalAccountData": Needs.NEW,
}


_ROOMS: Final = (
    account,
    calls,
    contacts,
    daemon,
    groups,
    messages,
    numbers,
    polls,
    stickers,
    stories,
)


def _collect() -> dict[str, Method]:
    methods = {}
    for name, run in (pair for room in _ROOMS for pair in room.METHODS.items()):
        needs = _NEEDS.get(name, Needs.LOADED)
        methods[name] = Method(run, needs, needs in (Needs.IGNORED, Needs.NEW))
    return methods


METHODS: Final = _collect()
