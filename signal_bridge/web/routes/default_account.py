"""The account of a request that names none."""

from __future__ import annotations

from signal_bridge.feed.account_book import LINKED
from signal_bridge.signalcli.addresses import account
from signal_bridge.web.edge.context import bridge


def default_account() -> str:
    """DEFAULT_ACCOUNT, else the only account there is; empty if there are none or several.

    Raises StoreError.
    """
    chosen = bridge().settings.default_account
    if chosen:
        return account(chosen)
    linked = linked_accounts()
    return linked[0] if len(linked) == 1 else ""


def any_account() -> str | None:
    """DEFAULT_ACCOUNT, else the first there is, for what is the same for all.

    A search asks by it (rest-surface.rst 11.16).

    Raises StoreError.
    """
    chosen = bridge().settings.default_account
    return account(chosen) if chosen else next(iter(linked_accounts()), None)


def linked_accounts() -> list[str]:
    """The numbers of all accounts that signal-cli has, as noted by the daemon process."""
    return [one.number for one in bridge().accounts.all() if one.state == LINKED]
