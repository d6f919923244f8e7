"""Names of files, from anybody, made safe. Pure."""

from __future__ import annotations

import os
import re
from typing import Final

NO_NAME: Final = "attachment"
"""The name of a file whose own says nothing."""

_NAME_LIMIT_BYTES: Final = 255
_EXTENSION_LIMIT_BYTES: Final = 32
# Windows takes these for devices, whatever extension they have.
_DEVICE: Final = re.compile(
    r"\A(con|prn|aux|nul|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3])(?= *(?:\Z|\.))",
    re.IGNORECASE,
)
# Control characters, surrogates, line separators, and the marks that turn the direction of
# writing, with which `exe.png` can be made of `gnp.exe`.
_NOT_IN_NAMES: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def safe_filename(name: str) -> str:
    """A name that stays inside its directory: no separators, no control characters.

    Never empty or nothing but dots (those become `attachment`), and at most 255 bytes of UTF-8,
    from which the extension is not cut. Dots and spaces at the end go, and a device of Windows gets
    a `_`: the receiver may have to store the file there.
    """
    base = _NOT_IN_NAMES.sub("", name.replace("\\", "/")).rpartition("/")[2]
    short = _shortened(base.rstrip(". "))
    if not short.strip():
        return NO_NAME
    return _shortened(_DEVICE.sub(r"\1_", short))


def _shortened(name: str) -> str:
    """At most 255 bytes of it. What was cut may leave dots and spaces at the end, which go."""
    stem, extension = os.path.splitext(name)
    if len(extension.encode()) > _EXTENSION_LIMIT_BYTES:
        stem, extension = name, ""
    return (_cut(stem, _NAME_LIMIT_BYTES - len(extension.encode())) + extension).rstrip(". ")


def _cut(text: str, limit_bytes: int) -> str:
    return text.encode()[:limit_bytes].decode(errors="ignore")
