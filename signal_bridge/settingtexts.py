"""The texts of settings, read: each function takes a text and gives its value.

A text that is not allowed raises ValueError, whose text says what is.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_DIGITS: Final = 20
_IN_MEMORY: Final = ("", ":memory:")
_PORT: Final = re.compile("[0-9]{1,5}")


def any_text(text: str) -> str:
    """The text as it is."""
    return text


def path(text: str) -> Path:
    """An absolute path; `~` is a home. Raises ValueError when there is no such user."""
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:
        raise ValueError("a path below the home of a user that exists") from None


def flag(text: str) -> bool:
    """`true`, `false`, `1` or `0`, in any case. Raises ValueError for another word."""
    words = {"true": True, "false": False, "1": True, "0": False, "": False}
    if text.lower() not in words:
        raise ValueError("true or false")
    return words[text.lower()]


def one_of(*words: str) -> Callable[[str], str]:
    """Reads one of `words`, exactly. The reader raises ValueError."""

    def read(text: str) -> str:
        if text not in words:
            raise ValueError("one of " + ", ".join(words))
        return text

    return read


def whole(least: int, most: int) -> Callable[[str], int]:
    """Reads ASCII digits as a whole number in these bounds. The reader raises ValueError."""

    def read(text: str) -> int:
        digits = text.isascii() and text.isdigit() and len(text) <= _DIGITS
        if not digits or not least <= int(text) <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return int(text)

    return read


def seconds(least: float, most: float) -> Callable[[str], float]:
    """Reads a number of seconds in these bounds. The reader raises ValueError, also for NaN."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not least <= value <= most:
            raise ValueError(f"seconds from {least:g} to {most:g}")
        return value

    return read


def daemon_address(text: str) -> str:
    """`unix:/path` or `tcp:host:port`, unchanged. Raises ValueError."""
    if text.startswith("unix:/") and len(text) > len("unix:/"):
        return text
    host, _, port = text.removeprefix("tcp:").rpartition(":")
    if text.startswith("tcp:") and host and _PORT.fullmatch(port) and 0 < int(port) < 65536:
        return text
    raise ValueError("unix:/path or tcp:host:port")


def database_url(text: str) -> str:
    """An URL of SQLAlchemy for SQLite or PostgreSQL, unchanged. Raises ValueError."""
    if not text.lower().startswith(("sqlite:", "sqlite+", "postgresql:", "postgresql+")):
        raise ValueError("an URL that begins with sqlite: or postgresql:")
    return text


def sqlite_path(url: str) -> Path | None:
    """The file of a SQLite database; None for another database, or for one in memory."""
    scheme, _, rest = url.partition(":///")
    file = rest.partition("?")[0]
    return Path(file) if scheme.lower().startswith("sqlite") and file not in _IN_MEMORY else None


def http_url(text: str) -> str:
    """An URL of http or https, unchanged. Raises ValueError."""
    if not text.lower().startswith(("http://", "https://")):
        raise ValueError("an URL that begins with http:// or https://")
    return text


def networks(text: str) -> tuple[Network, ...]:
    """Networks with commas between; an address is a network of one. Raises ValueError."""
    try:
        return tuple(ipaddress.ip_network(word, strict=False) for word in _words(text))
    except ValueError:
        raise ValueError("networks like 10.0.0.0/8,fd00::/8, with commas between") from None


def waits(text: str) -> tuple[float, ...]:
    """Seconds, each from 0.01 to a day, with commas between. Raises ValueError."""
    try:
        return tuple(seconds(0.01, 86400)(word) for word in _words(text))
    except ValueError:
        raise ValueError("seconds from 0.01 to 86400, with commas between") from None


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",")]
