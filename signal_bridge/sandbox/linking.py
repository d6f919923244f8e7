"""Accounts that come: linking to a phone that scans by itself, and registration by code."""

from __future__ import annotations

import asyncio
import base64
import re
import secrets
import time
import uuid
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, urlsplit

from signal_bridge.sandbox import errors
from signal_bridge.sandbox.account_data import Account, Device
from signal_bridge.sandbox.network import Network
from signal_bridge.sandbox.people import Person, e164, now_ms

SCAN_SECONDS: Final = 1.0
EXPIRY_SECONDS: Final = 100.0
MAX_PENDING: Final = 100

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
    """Links and registrations that have begun. Both are forgotten oldest first."""

    network: Network
    _links: dict[str, float] = field(default_factory=dict)
    _registrations: dict[str, None] = field(default_factory=dict)

    def start(self) -> str:
        """The URI for a telephone to scan. It can be used once, for 100 seconds."""
        key = base64.b64encode(b"\x05" + secrets.token_bytes(32)).decode()
        uri = f"sgnl://linkdevice?uuid={uuid.uuid4()}&pub_key={quote(key, safe='')}"
        self._links[uri] = time.monotonic()
        _forget_oldest(self._links)
        return uri

    async def finish(self, uri: str | None, device_name: str) -> Account:
        """Wait until the "phone" scanned the URI. It can be used once."""
        started = self._links.pop(_need_uri(uri), None)
        if started is None:
            raise errors.user_error("Unknown device link uri.")
        age = time.monotonic() - started
        if age > EXPIRY_SECONDS:
            raise errors.user_error("Link request timed out, please try again.")
        await asyncio.sleep(SCAN_SECONDS - age)
        return self._load(self.network.people.free_number(), Device(2, device_name))

    def register(self, number: str, captcha: str | None) -> None:
        """Ask for a code. Raises RpcError: -1, -3 or -5, by the magic of the number."""
        _check_number(number)
        person = self.network.people.by_number(number)
        if person:
            raise errors.io_error("Failed to register: Account is already registered")
        if captcha == WRONG_CAPTCHA:
            raise errors.user_error("Invalid captcha given.")
        if number == NEEDS_CAPTCHA and not captcha:
            raise errors.user_error(_CAPTCHA_TEXT)
        if number == RATE_LIMITED:
            raise errors.RpcError(errors.RATE_LIMIT, _next_attempt())
        self._registrations[number] = None
        _forget_oldest(self._registrations)

    def verify(self, number: str, code: str, pin: str | None) -> Account:
        """The account of a number that asked for a code. Raises RpcError: -1, -3 or -32603."""
        if number not in self._registrations:
            raise errors.internal_error("Verify error: No registration verification session active")
        if code.replace("-", "") == WRONG_CODE:
            raise errors.io_error("Verify error: StatusCode: 403")
        if number == PIN_LOCKED:
            _check_pin(pin)
        del self._registrations[number]
        return self._load(number, Device(1, None))

    def _load(self, number: str, device: Device) -> Account:
        person = Person(number, f"Guest {number[-4:]}", profile_changed_ms=now_ms())
        self.network.people.add(person)
        account = Account(person, device)
        self.network.load(account)
        return account


def _forget_oldest(pending: dict[str, float] | dict[str, None]) -> None:
    while len(pending) > MAX_PENDING:
        del pending[next(iter(pending))]


def _need_uri(uri: str | None) -> str:
    if not uri:
        raise errors.user_error("Missing deviceLinkUri.")
    if re.search(r"\s", uri) or not urlsplit(uri).scheme:
        raise errors.user_error("Invalid device link uri.")
    return uri


def _check_number(number: str) -> None:
    try:
        expected = e164(number)
    except errors.RpcError as error:
        raise errors.user_error(f"Failed to register: {error.message}") from None
    if expected != number:
        raise errors.user_error(
            f"Failed to register: Phone number is not normalized ({number}). "
            f"Expected normalized: {expected}"
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
