"""Since when signal-cli can do a thing, and what is said where it cannot (signal-cli.rst 2.9)."""

from __future__ import annotations

from typing import Final

from signal_bridge.errors import NotSupported

# Those that the routes call; every version that is in use has all the others.
_METHODS: Final = {
    "sendPollCreate": "0.13.23",
    "sendPollVote": "0.13.23",
    "sendPollTerminate": "0.13.23",
    "updateDevice": "0.13.23",
    "sendAdminDelete": "0.14.0",
    "sendPinMessage": "0.14.0",
    "sendUnpinMessage": "0.14.0",
    "sendStory": "0.14.6",
}
# A signal-cli that was started for one account does not have them (signal-cli.rst 1.6).
_FOR_SEVERAL_ACCOUNTS: Final = frozenset(
    {"listAccounts", "startLink", "finishLink", "register", "verify", "deleteLocalAccountData"}
)
_CODE: Final = -32601

UNKNOWN: Final = "unknown"
"""The version of a signal-cli that does not tell."""


def without_method(method: str, running: str | None) -> NotSupported:
    """The error for a method that signal-cli says it does not have (-32601).

    `running` is the version that says so, None when it is not known.
    """
    since = _METHODS.get(method)
    if since is not None:
        return too_old(method, since, running)
    why = ""
    if method in _FOR_SEVERAL_ACCOUNTS:
        why = ", as one that was started for a single account (-a)"
    return NotSupported(f"{_name(running)} does not have {method}{why}", _CODE)


def too_old(what: str, since: str, running: str | None) -> NotSupported:
    """The error for `what` came with the version `since`, when `running` is older than that."""
    return NotSupported(
        f"{_name(running)} does not have {what}; that needs signal-cli {since} or newer", _CODE
    )


def _name(running: str | None) -> str:
    return f"signal-cli {running}" if running not in (None, UNKNOWN) else "This signal-cli"
