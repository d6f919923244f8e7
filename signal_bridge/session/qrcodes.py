"""A link URI as a QR code: characters for a terminal, or a picture. Pure."""

from __future__ import annotations

import io
from typing import Any, Final

import segno
from segno.consts import ERROR_LEVEL_H, SYMBOL_CAPACITY

from signal_bridge.errors import RequestError

COULD_NOT: Final = "Couldn't create QR code: "
"""What every error about a code begins with, in the peer's words."""

# The peer's own; a longer URI takes the next that fits (rest-surface.rst 11.22).
_USUAL_VERSION: Final = 10
_PIXELS: Final = 256


def as_text(uri: str) -> str:
    """Drawn in characters, for a dark or light terminal alike."""
    drawn = io.StringIO()
    segno.make_qr(uri).terminal(drawn, compact=True)
    return drawn.getvalue()


def as_picture(uri: str, version: int | None, kind: str) -> bytes:
    """A picture of `kind`, `png` or `svg`, of a code of that version (1 to 40; None: as it fits).

    Raises RequestError when the link does not fit into a code of that version, or of any.
    """
    code = segno.make_qr(
        uri, version=_version(uri, version), error="h", boost_error=False, mode="byte"
    )
    picture = io.BytesIO()
    scale = max(1, -(-_PIXELS // code.symbol_size()[0]))
    code.save(picture, kind=kind, scale=scale)
    return picture.getvalue()


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
