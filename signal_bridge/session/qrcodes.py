"""A link URI as a QR code: characters for a terminal, or a picture. Pure."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence
from typing import Any, Final

import segno
from segno.consts import ERROR_LEVEL_H, SYMBOL_CAPACITY

from signal_bridge.errors import RequestError

COULD_NOT: Final = "Couldn't create QR code: "
"""What every error about a code begins with, in the peer's words."""

# The peer's own; a longer URI takes the next that fits (rest-surface.rst 11.22).
_USUAL_VERSION: Final = 10
# As the peer's, on each side.
_PIXELS: Final = 256
_QUIET_MODULES: Final = 4  # ISO/IEC 18004


def as_text(uri: str) -> str:
    """Drawn in characters, for a dark or light terminal alike."""
    drawn = io.StringIO()
    segno.make_qr(uri).terminal(drawn, compact=True)
    return drawn.getvalue()


def as_png(uri: str, version: int | None) -> bytes:
    """A PNG of 256 x 256 pixels, of a code of that version (1 to 40; None: as it fits).

    A module is a whole number of pixels, as large as there is room for with four modules of white
    around the code; what is left over is white, too. Version 40 has modules of one pixel.

    Raises RequestError when the link does not fit into a code of that version, or of any.
    """
    rows = [bytes(row) for row in _code(uri, version).matrix]
    scale = _PIXELS // (len(rows) + 2 * _QUIET_MODULES)
    before = (_PIXELS - len(rows) * scale) // 2
    after = _PIXELS - before - len(rows) * scale
    lines = [
        b"\0" * before + b"".join(bytes((module,)) * scale for module in row) + b"\0" * after
        for row in rows
        for _ in range(scale)
    ]
    white = b"\0" * _PIXELS
    return _png([white] * before + lines + [white] * after)


def as_svg(uri: str, version: int | None) -> bytes:
    """An SVG, of a code of that version. Raises RequestError as `as_png` does."""
    code = _code(uri, version)
    picture = io.BytesIO()
    code.save(picture, kind="svg", scale=max(1, -(-_PIXELS // code.symbol_size()[0])))
    return picture.getvalue()


def _code(uri: str, version: int | None) -> segno.QRCode:
    return segno.make_qr(
        uri, version=_version(uri, version), error="h", boost_error=False, mode="byte"
    )


def _png(lines: Sequence[bytes]) -> bytes:
    """Pixels, each a byte that is 1 for black, as a PNG of one bit each (ISO/IEC 15948)."""
    header = struct.pack(">IIBBBBB", len(lines[0]), len(lines), 1, 0, 0, 0, 0)
    # Each line begins with its filter, none; in grey, 1 is white.
    data = b"".join(b"\0" + _packed(line) for line in lines)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(data, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, content) for name, content in chunks)


def _packed(line: bytes) -> bytes:
    bits = "".join("0" if pixel else "1" for pixel in line)
    return int(bits, 2).to_bytes(len(line) // 8, "big")


def _chunk(name: bytes, content: bytes) -> bytes:
    check = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)


def _version(uri: str, wanted: int | None) -> int:
    """Grown to fit the strongest error correction, unless the caller chose.

    Who asks for the usual one has chosen nothing: pysignalclirestapi always does, and one URI in
    twenty is too long for it.
    """
    fits = _smallest_version(uri)
    if wanted is None or wanted == _USUAL_VERSION:
        return max(_USUAL_VERSION, fits)
    if wanted < fits:
        raise RequestError(_too_large(uri, wanted))
    return wanted


def _smallest_version(uri: str) -> int:
    try:
        return int(segno.make_qr(uri, error="h", boost_error=False, mode="byte").version)
    except segno.DataOverflowError:
        raise RequestError(f"{COULD_NOT}the link is too long for any QR code") from None


def _too_large(uri: str, version: int) -> str:
    """The peer's words. A byte segment has 4 bits of mode and 8 or 16 of length."""
    encoded_bits = 4 + (8 if version < 10 else 16) + 8 * len(uri.encode())
    capacity: Any = SYMBOL_CAPACITY
    return (
        f"{COULD_NOT}Cannot encode QR code: content too large for fixed size QR Code version"
        f" {version} (encoded length is {encoded_bits} bits, maximum length is"
        f" {capacity[version][ERROR_LEVEL_H]} bits)"
    )
