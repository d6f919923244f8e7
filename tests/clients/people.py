"""Who there is in the sandbox."""

from __future__ import annotations

import itertools

from tests.support import Bridge

ANN, BOB, CYD, DAN = (f"+1202555010{digit}" for digit in range(4))
ROBOT = "+12025550123"  # echoes
NOBODY = "+12025559999"

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))

_numbers = itertools.count(1)


def unique(text: str) -> str:
    """A text that no other test sends."""
    return f"{text} #{next(_numbers)}"


def uuid_of(bridge: Bridge, number: str) -> str:
    contacts = bridge.get(f"/v1/contacts/{ANN}?all_recipients=true").json()
    return str(next(each["uuid"] for each in contacts if each["number"] == number))
