"""The account of a request that names none."""

from __future__ import annotations

from signal_bridge.errors import Refused
from signal_bridge.signalcli import accounts
from signal_bridge.web.context import bridge


def default_account() -> str:
    """DEFAULT_ACCOUNT, else the only account there is; empty if there are none or several."""
    chosen = bridge().settings.default_account
    if chosen:
        return chosen
    listed = listed_accounts()
    return listed[0] if len(listed) == 1 else ""


def any_account() -> str | None:
    """DEFAULT_ACCOUNT, else the first account there is, for what is the same for all (11.16)."""
    return bridge().settings.default_account or next(iter(listed_accounts()), None)


def listed_accounts() -> list[str]:
    """The numbers of all accounts; none when signal-cli will not say."""
    try:
        numbers = accounts.account_numbers(bridge().gateway.run(accounts.list_accounts()))
    except Refused:
        return []
    return [number for number in numbers if number]
