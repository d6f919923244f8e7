"""What the sandbox says of itself at its start: `python -m signal_bridge.sandbox.banner` prints it.

The package's docstring has the same in full.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Final

from signal_bridge.sandbox.people import ACCOUNT_NUMBERS, ROBOT_NUMBER, Fault

UNREGISTERED_NUMBER: Final = "+12025550190"

_FAULTS: Final[Mapping[Fault, str]] = {
    Fault.IDENTITY_CHANGED: "has another safety number, until you trust it",
    Fault.CHALLENGED: "is rate limited, until a captcha lifts it",
    Fault.RATE_LIMITED: "is rate limited for a minute",
    Fault.SLOW: "takes five seconds",
    Fault.OFFLINE: "cannot be reached: the network fails",
    Fault.STALE_KEYS: "has keys that cannot be used",
    Fault.BROKEN: "breaks the whole call",
    Fault.INVITED: "is invited to groups, and accepts by itself",
}
_REGISTRATIONS: Final = (
    ("+12025550180", "wants a captcha before it is registered"),
    ("+12025550181", "is rate limited when it is registered"),
    ("+12025550182", "is locked with the PIN 1234"),
    ("code 000-000", "is wrong for every number, any other is right"),
)


def lines() -> list[str]:
    """Who lives there, and which numbers fail how."""
    fates = {fault.value: _FAULTS[fault] for fault in Fault}
    rows = [
        (f"{ACCOUNT_NUMBERS[0]} to {ACCOUNT_NUMBERS[-1]}", "accounts: send and receive as these"),
        (ROBOT_NUMBER, "the echo: sends each text back"),
        (UNREGISTERED_NUMBER, "is not registered, as any number that is not named here"),
        *fates.items(),
        *_REGISTRATIONS,
    ]
    return [
        "This is the SIGNAL BRIDGE SANDBOX, it is NOT SIGNAL.",
        "No message leaves this machine, and all is forgotten at the end.",
        *(f"{who:<30} {what}" for who, what in rows),
    ]


if __name__ == "__main__":
    sys.stdout.write("\n".join(lines()) + "\n")
