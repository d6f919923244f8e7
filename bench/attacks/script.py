"""What one hostile connection does, as a value, and the bytes that it writes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Script:
    """A connection writes its opening, then drips; takes what is answered, or does not; ends.

    One that has ended, or was cut off, comes back after `rest_seconds`. `opening` is given the
    number of the connection, counted over all that ever were.
    """

    opening: Callable[[int], bytes]
    drip: bytes = b""  # written again and again
    drip_seconds: float = 1.0  # between two drips
    takes_bytes: int = 65536
    takes_seconds: float = 0.0  # between two reads; 0 takes what comes
    receive_buffer_bytes: int = 0  # 0 leaves it to the kernel
    lives_seconds: float = math.inf
    rest_seconds: float = 5.0
    ends_with_reset: bool = False


def always(data: bytes) -> Callable[[int], bytes]:
    """The same opening for each connection."""
    return lambda _number: data


def head(method: str, path: str, *fields: str) -> bytes:
    """A whole request head."""
    return "\r\n".join((f"{method} {path} HTTP/1.1", "Host: bench", *fields, "", "")).encode()


def request(
    method: str, path: str, body: bytes, media_type: str = "application/json", *fields: str
) -> bytes:
    """A whole request, after which the connection is wanted no more."""
    lines = (f"Content-Type: {media_type}", f"Content-Length: {len(body)}", "Connection: close")
    return head(method, path, *lines, *fields) + body


def websocket(path: str) -> bytes:
    """The head that opens one (RFC 6455, 4.1)."""
    key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="
    upgrade = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13")
    return head("GET", path, *upgrade, key)


def ping(text: bytes) -> bytes:
    """A frame with a mask of zeros; `text` has at most 125 bytes (RFC 6455, 5.5.2)."""
    return bytes([0x89, 0x80 | len(text), 0, 0, 0, 0]) + text


def part(name: str, value: bytes, filename: str = "") -> bytes:
    """One of a multipart body whose boundary is `b`."""
    named = f'; filename="{filename}"' if filename else ""
    return f'--b\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'.encode() + value
