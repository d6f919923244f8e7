"""Whether an account that a request names is here: for one that is not, nothing is kept."""

from __future__ import annotations

from typing import Final

from signal_bridge.errors import NotFound, RequestError, UnknownAccount
from signal_bridge.feed.filters import EVERY_ACCOUNT
from signal_bridge.signalcli.numbers import CANONICAL
from signal_bridge.web.edge.context import bridge

# What signal-cli's command line says, and so the peer in its normal mode (rest-surface.rst 11.33).
_NO_NUMBER: Final = "Invalid account (phone number), make sure you include the country code."
_ACCOUNT_CODE: Final = -32602
_SHOWN_CHARACTERS: Final = 100


def check_account(account: str) -> None:
    """Raises UnknownAccount for one that neither is nor was here, RequestError for no number.

    Or StoreError.
    """
    if not CANONICAL.fullmatch(account):
        raise RequestError(_NO_NUMBER)
    if not _may_be_here(account):
        raise UnknownAccount(f"User {account} is not registered.", _ACCOUNT_CODE)


def find_account(account: str) -> None:
    """Raises NotFound for what is no account, nor "*", which is every one. Or StoreError."""
    if account == EVERY_ACCOUNT or (CANONICAL.fullmatch(account) and _may_be_here(account)):
        return
    raise NotFound(f"There is no account {account[:_SHOWN_CHARACTERS]}")


def _may_be_here(number: str) -> bool:
    """While signal-cli cannot be asked, or does not say (signal-cli.rst 1.6), an account that is
    not known yet may be here all the same."""
    if bridge().accounts.knows(number):
        return True
    listed = bridge().listing.numbers()
    return listed is None or number in listed
