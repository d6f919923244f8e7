"""Accounts that signal-cli has not loaded: how to have it try, and why it could not. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from signal_bridge.signalcli.call import Call

# Without a network 0.14 gives up after ten seconds; one that drops everything takes it longer.
_LOAD_SECONDS: Final = 60.0

# They are about an account that is to be, or that need not be loaded (signal-cli.rst 2.4).
_NEEDS_NOT_LOADED: Final = frozenset({"register", "verify", "deleteLocalAccountData"})

# What signal-cli says of it on stderr: when it starts, and when a call named the account.
_CHECK_FAILED: Final = re.compile(r"Error while checking account [^:]*: (.+?)(?: \(\w+\))?$")
_NOT_LOADED: Final = re.compile(r"Failed to load \+[^:]*: (.+?)(?: \(\w+\))?$")
_TRIED: Final = re.compile(r"Failed to load .*manager by (?:number|ACI)")
_EXCEPTION: Final = re.compile(r"[\w.$]+\.(\w+(?:Exception|Error))(?:: (.+))?$")


def load(number: str) -> Call:
    """What has signal-cli load an account: a read of its own data. Nobody needs the answer.

    0.14 loads an account at its first use, whatever the use (signal-cli.rst 1.6). Sticker packs are
    few, and listing them asks neither Signal nor anybody else; profiles, groups and devices would.
    """
    return Call("listStickerPacks", {"account": number}, timeout_seconds=_LOAD_SECONDS)


def needed_account(call: Call) -> str | None:
    """The account that has to be loaded for `call`, as it names it; None when there is none."""
    if not isinstance(call.params, Mapping) or call.method in _NEEDS_NOT_LOADED:
        return None
    account = call.params.get("account")
    return account if isinstance(account, str) else None


def why_not_loaded(lines: Sequence[str]) -> str:
    """Why signal-cli last failed to load an account, by what it printed; empty if it did not say.

    Without an account in it: lines of several cannot be told apart, for numbers are masked there.
    """
    for before, line in reversed(list(zip(["", *lines], lines, strict=False))):
        if found := _CHECK_FAILED.search(line):
            return f"it could not check it with Signal: {found[1]}"
        if found := _NOT_LOADED.search(line):
            return found[1]
        if _TRIED.search(before) and (found := _EXCEPTION.match(line)):
            return found[2] or found[1]
    return ""
