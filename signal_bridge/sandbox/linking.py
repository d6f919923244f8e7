"""Accounts that come: linking to a phone that scans by itself, and registration by code.

An account that changes its number goes the same way: a code is asked for, and given.
"""

from __future__ import annotations

import asyncio
import base64
import re
import secrets
import time
import uuid
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlsplit

from signal_bridge.sandbox import errors
from signal_bridge.sandbox.account_data import Account, Device
from signal_bridge.sandbox.loading import Loading
from signal_bridge.sandbox.network import Network
from signal_bridge.sandbox.people import Person, e164, now_ms
from signal_bridge.sandbox.versions import Version

SCAN_SECONDS: Final = 1.0
EXPIRY_SECONDS: Final = 100.0
MAX_PENDING: Final = 100
MAX_ACCOUNTS: Final = 32
"""Then there is no telephone left that would scan, and no number that Signal would take."""

NEEDS_CAPTCHA: Final = "+12025550180"
RATE_LIMITED: Final = "+12025550181"
PIN_LOCKED: Final = "+12025550182"
PIN: Final = "1234"
WRONG_CODE: Final = "000000"
WRONG_CAPTCHA: Final = "wrong"

_CAPTCHA_TEXT: Final = (
    "Captcha required for verification, use --captcha CAPTCHA\n"
    "To get the token, go to https://signalcaptchas.org/registration/generate.html\n"
    'After solving the captcha, right-click on the "Open Signal" link and copy the link.'
)
_LOCKED_TEXT: Final = (
    "Verification failed! This number is locked with a pin. Hours remaining until reset: 7\n"
    "Use '--pin PIN_CODE' to specify the registration lock PIN"
)


@dataclass
class Linking:
    """Links, registrations and new numbers that have begun. They are forgotten oldest first."""

    network: Network
    loading: Loading
    version: Version
    _links: dict[str, float] = field(default_factory=dict)
    _registrations: dict[str, None] = field(default_factory=dict)
    _changes: dict[tuple[str, str], None] = field(default_factory=dict)

    def start(self) -> str:
        """The URI for a telephone to scan. It can be used once, for 100 seconds.

        Raises RpcError (-3) without a network.
        """
        if not self.loading.can_reach_signal():
            raise errors.io_error("Link request error: Connection closed!")
        key = base64.b64encode(b"\x05" + secrets.token_bytes(32)).decode()
        uri = f"sgnl://linkdevice?uuid={uuid.uuid4()}&pub_key={quote(key, safe='')}"
        self._links[uri] = time.monotonic()
        _forget_oldest(self._links)
        return uri

    async def finish(self, uri: str | None, device_name: str) -> Account:
        """Wait until the "phone" scanned the URI. It can be used once. Raises RpcError (-1)."""
        started = self._links.pop(_need_uri(uri), None)
        if started is None:
            raise errors.user_error("Unknown device link uri.")
        age = time.monotonic() - started
        if age > EXPIRY_SECONDS:
            raise errors.user_error("Link request timed out, please try again.")
        await asyncio.sleep(SCAN_SECONDS - age)
        if self._is_full():
            raise errors.user_error("Link request timed out, please try again.")
        number = self.network.people.free_number()
        return self.network.move_in(_guest(number), Device(2, device_name))

    def register(self, number: str, captcha: str | None, anew: bool) -> None:
        """Ask for a code. Raises RpcError: -1, -3 or -5, by the magic of the number.

        `anew` for a number that has an account already: whoever has it loses it at `verify`.
        """
        self._need_network("Failed to register")
        _check_number(number, "Failed to register")
        if self.network.people.by_number(number) and not anew:
            raise errors.io_error("Failed to register: Account is already registered")
        if self._is_full() and not self.network.people.by_number(number):
            raise errors.RpcError(errors.RATE_LIMIT, _next_attempt())
        _ask_for_code(number, captcha)
        self._registrations[number] = None
        _forget_oldest(self._registrations)

    def verify(self, number: str, code: str, pin: str | None) -> Account:
        """The account of a number that asked for a code. Raises RpcError: -1, -3 or -32603."""
        if number not in self._registrations:
            text = "Verify error: No registration verification session active"
            raise errors.RpcError(self.version.unasked_verification, text)
        _check_code(number, code, pin, "Verify error")
        del self._registrations[number]
        self.network.asleep.pop(number, None)
        return self.network.move_in(_guest(number), Device(1, None))

    def start_change(self, account: Account, number: str, captcha: str | None) -> None:
        """Ask for a code for another number of an account. Raises RpcError: -1, -3 or -5."""
        self._need_network("Failed to change number")
        _check_number(number, "Failed to change number")
        _ask_for_code(number, captcha)
        self._changes[account.person.aci, number] = None
        _forget_oldest(self._changes)

    def finish_change(self, account: Account, number: str, code: str, pin: str | None) -> None:
        """Give the account its new number. Raises RpcError: -1 or -3."""
        problem = "Failed to change number"
        if (account.person.aci, number) not in self._changes:
            raise errors.io_error(f"{problem}: No change number verification session active")
        _check_code(number, code, pin, problem)
        if self.network.people.by_number(number) not in (None, account.person):
            raise errors.io_error(f"{problem}: StatusCode: 409")
        del self._changes[account.person.aci, number]
        self.network.renumber(account, number)

    def _is_full(self) -> bool:
        return len(self.network.all_accounts) >= MAX_ACCOUNTS

    def _need_network(self, problem: str) -> None:
        if not self.loading.can_reach_signal():
            raise errors.io_error(f"{problem}: chat.signal.org cannot be reached")


def _guest(number: str) -> Person:
    return Person(number, f"Guest {number[-4:]}", profile_changed_ms=now_ms())


def _ask_for_code(number: str, captcha: str | None) -> None:
    if captcha == WRONG_CAPTCHA:
        raise errors.user_error("Invalid captcha given.")
    if number == NEEDS_CAPTCHA and not captcha:
        raise errors.user_error(_CAPTCHA_TEXT)
    if number == RATE_LIMITED:
        raise errors.RpcError(errors.RATE_LIMIT, _next_attempt())


def _check_code(number: str, code: str, pin: str | None, problem: str) -> None:
    if code.replace("-", "") == WRONG_CODE:
        raise errors.io_error(f"{problem}: StatusCode: 403")
    if number == PIN_LOCKED:
        _check_pin(pin)


def _forget_oldest(pending: dict[Any, Any]) -> None:
    while len(pending) > MAX_PENDING:
        del pending[next(iter(pending))]


def _need_uri(uri: str | None) -> str:
    if not uri:
        raise errors.user_error("Missing deviceLinkUri.")
    if re.search(r"\s", uri) or not urlsplit(uri).scheme:
        raise errors.user_error("Invalid device link uri.")
    return uri


def _check_number(number: str, problem: str) -> None:
    try:
        expected = e164(number)
    except errors.RpcError as error:
        raise errors.user_error(f"{problem}: {error.message}") from None
    if expected != number:
        raise errors.user_error(
            f"{problem}: Phone number is not normalized ({number}). Expected normalized: {expected}"
        )


def _check_pin(pin: str | None) -> None:
    if pin is None:
        raise errors.user_error(_LOCKED_TEXT)
    if pin != PIN:
        raise errors.user_error("Verification failed! Invalid pin, tries remaining: 3")


def _next_attempt() -> str:
    at_ms = now_ms() + 3_600_000
    iso = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at_ms // 1000))
    return f"Rate limit reached\nNext attempt may be tried at {at_ms} ({iso}.{at_ms % 1000:03}Z)"
