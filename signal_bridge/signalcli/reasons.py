"""Why signal-cli refused, told from what it says: one table.

The code alone says little: -1 is a wrong number as well as a network that is down, and -32603 is
anything. `error.data` has the outcome for each recipient of a send (signal-cli.rst 2.2, 2.3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from signal_bridge.errors import (
    CaptchaRejected,
    CaptchaRequired,
    NotSupported,
    RateLimited,
    RecipientUnregistered,
    Refused,
    SignalCliOutdated,
    SignalUnreachable,
    UnknownAccount,
    UntrustedIdentity,
)

SAYS_OUTDATED: Final = ("StatusCode: 499", "DeprecatedVersion", "version is too old")
"""What signal-cli says when Signal refuses its version, in a refusal or before it ends."""
OUTDATED_TEXT: Final = (
    "Signal no longer accepts this version of signal-cli: install a current one "
    "(deploy/README.rst), or pull a current image, and start the bridge again"
)
_OFFLINE: Final = (
    "PushNetworkException",
    "UnknownHostException",
    "SocketException",
    "SocketTimeoutException",
    "ConnectException",
    "SSLException",
    "Connection closed",
    "Closed unexpectedly",
    "Write failed!",
    "No connection!",
)


class Row(NamedTuple):
    """A refusal that is of `kind`: everything that is given has to fit."""

    kind: type[Refused]
    code: int | None = None
    says: tuple[str, ...] = ()  # one of these is in the message
    outcome: str = ""  # what became of every recipient

    def fits(self, code: int, message: str, kinds: Sequence[str]) -> bool:
        """Whether a refusal is of this row: its code, its message, what became of whom."""
        return (
            self.code in (None, code)
            and (not self.says or any(text in message for text in self.says))
            and (not self.outcome or set(kinds) == {self.outcome})
        )


# The first row that fits decides.
TABLE: Final = (
    Row(SignalCliOutdated, says=SAYS_OUTDATED),
    Row(NotSupported, code=-32601),
    Row(UntrustedIdentity, code=-4),
    Row(RateLimited, code=-5),
    Row(CaptchaRejected, code=-6),
    Row(CaptchaRejected, code=-1, says=("Captcha rejected", "Invalid captcha given")),
    Row(CaptchaRequired, code=-1, says=("Captcha required", "Captcha invalid or required")),
    Row(UnknownAccount, code=-32602),
    Row(SignalUnreachable, outcome="NETWORK_FAILURE"),
    Row(UntrustedIdentity, outcome="IDENTITY_FAILURE"),
    Row(RateLimited, outcome="RATE_LIMIT_FAILURE"),
    Row(RecipientUnregistered, outcome="UNREGISTERED_FAILURE"),
    Row(RecipientUnregistered, code=-1, says=("is not registered",)),
    Row(RateLimited, code=-32603, says=("[429]", "[413] Rate limit", "RateLimitException")),
    Row(RateLimited, code=-3, says=("RateLimitException",)),
    Row(SignalUnreachable, code=-32603, says=_OFFLINE),
    Row(SignalUnreachable, code=-3, says=_OFFLINE),
)


def kind_of(code: int, message: str, data: Any) -> type[Refused]:
    """The class of error that a refusal is; plain `Refused` when the table has no row for it."""
    kinds = [str(entry.get("type")) for entry in outcomes(data)]
    return next((row.kind for row in TABLE if row.fits(code, message, kinds)), Refused)


def outdated(said: Sequence[str]) -> str | None:
    """What to say of a signal-cli that has ended because Signal refuses its version.

    `said` are its last lines. None when it ended for another reason.
    """
    if not any(words in line for line in said for words in SAYS_OUTDATED):
        return None
    return OUTDATED_TEXT


def outcomes(data: Any) -> list[Mapping[str, Any]]:
    """The results per recipient in `error.data`, as far as they can be read."""
    response = data.get("response") if isinstance(data, Mapping) else None
    entries = response.get("results") if isinstance(response, Mapping) else None
    return [e for e in entries if isinstance(e, Mapping)] if isinstance(entries, list) else []
