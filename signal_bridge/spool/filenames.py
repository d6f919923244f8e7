"""Names of files, from anybody, made safe. Pure."""

from __future__ import annotations

import os
import re
from typing import Final

NO_NAME: Final = "attachment"
"""The name of a file whose own says nothing."""

_NAME_LIMIT_BYTES: Final = 255
_EXTENSION_LIMIT_BYTES: Final = 32
# Control characters, surrogates, line separators, and the marks that turn the direction of
# writing, with which `exe.png` can be made of `gnp.exe`.
_NOT_IN_NAMES: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def safe_filename(name: str) -> str:
    """A name that stays inside its directory: no separators, no control characters.

    Never empty, `.` or `..` (those become `attachment`), and at most 255 bytes of UTF-8, from
    which the extension is not cut.
    """
    base = _NOT_IN_NAMES.sub("", name.replace("\\", "/")).rpartition("/")[2]
    if base.strip() in ("", ".", ".."):
        return NO_NAME
    stem, extension = os.path.splitext(base)
    if len(extension.encode()) > _EXTENSION_LIMIT_BYTES:
        stem, extension = base, ""
    return _cut(stem, _NAME_LIMIT_BYTES - len(extension.encode())) + extension


def _cut(text: str, limit_bytes: int) -> str:
    return text.encode()[:limit_bytes].decode(errors="ignore")
