"""Group ids, however they are spelled.

signal-cli's own spelling is base64, the *internal id*: of 32 bytes, 44 characters, or of the 16
bytes of a legacy group, 24 characters (signal-cli.rst 2.10). REST shows `group.` and the base64 of
that text, which is safe in a path (rest-surface.rst 3.1).
"""

from __future__ import annotations

import base64
import binascii
from typing import Final

_BYTES: Final = 32
_LEGACY_BYTES: Final = 16
# A name may have as many characters as a legacy id; only these tell that it is none.
_LEGACY_END: Final = "=="
_STANDARD: Final = str.maketrans("-_", "+/")


def internal_id_of(text: str) -> str | None:
    """The internal id that `text` is, or is the base64 of, in either alphabet; else None."""
    raw = _decoded(text)
    if raw is None:
        return None
    if _is_id(raw, text):
        return base64.b64encode(raw).decode()
    inner = raw.decode("ascii", "replace")
    within = _decoded(inner)
    if within is None or not _is_id(within, inner):
        return None
    return base64.b64encode(within).decode()


def is_group_size(size_bytes: int) -> bool:
    """Whether a group's id has so many bytes."""
    return size_bytes in (_BYTES, _LEGACY_BYTES)


def _is_id(raw: bytes, text: str) -> bool:
    if len(raw) == _LEGACY_BYTES:
        return text.endswith(_LEGACY_END)
    return len(raw) == _BYTES


def _decoded(text: str) -> bytes | None:
    """Both alphabets are read, and padding may be left out, as it is in URLs."""
    standard = text.translate(_STANDARD)
    try:
        return base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
