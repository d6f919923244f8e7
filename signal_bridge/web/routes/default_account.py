"""The account of a request that names none."""

from __future__ import annotations

from signal_bridge.feed.account_book import LINKED, UNLINKED
from signal_bridge.signalcli.addresses import account
from signal_bridge.web.edge.context import bridge


def default_account() -> str:
    """DEFAULT_ACCOUNT, else the only account there is; empty if there are none or several.

    One that signal-cli has not loaded is there all the same: no other sends in its place.

    Raises StoreError.
    """
    chosen = bridge().settings.default_account
    if chosen:
        return account(chosen)
    there = _accounts_there()
    return there[0] if len(there) == 1 else ""


def any_account() -> str | None:
    """DEFAULT_ACCOUNT, else the first there is, for what is the same for all.

    A search asks by it (rest-surface.rst 11.16).

    Raises StoreError.
    """
    chosen = bridge().settings.default_account
    return account(chosen) if chosen else next(iter(_accounts_there()), None)


def _accounts_there() -> list[str]:
    """The numbers of all accounts, those that signal-cli has loaded first."""
    there = [one for one in bridge().accounts.all() if one.state != UNLINKED]
    return [one.number for one in sorted(there, key=lambda one: one.state != LINKED)]
