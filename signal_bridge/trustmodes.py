"""`api-config.yml`: each account's trust mode, where signal-cli-rest-api keeps it.

    config:
      "+4915112345":
        trust_mode: 1

0 is `on-first-use`, 1 `always`, 2 `never` (rest-contract.md 7). This is the whole format, so it is
read and written here, line by line; a file that has anything else in it is left alone.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from signal_bridge.errors import RequestError, StoreError

MODES: Final = ("on-first-use", "always", "never")

_KEY: Final = re.compile(r"""\s+("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s"'#].*?):\s*""")
_MODE: Final = re.compile(r"\s+trust_mode:\s*([0-9]+)\s*")
_EMPTY: Final[tuple[list[str], ...]] = ([], ["{}"], ["config: {}"])


def checked_mode(word: str) -> str:
    """The word, if it is a trust mode. Raises RequestError."""
    if word not in MODES:
        raise RequestError("Invalid trust mode")
    return word


def stored_mode(path: Path, account: str) -> str | None:
    """The mode that is stored for the account, if one is.

    Raises StoreError, or RequestError when it is none of the three.
    """
    index = _read(path).get(account)
    if index is None:
        return None
    if index >= len(MODES):
        raise RequestError("Invalid trust mode")
    return MODES[index]


def store_mode(path: Path, account: str, mode: str) -> None:
    """Store the mode of the account, beside those of the others. Raises StoreError."""
    with _locked(path.parent):
        _write(path, _read(path) | {account: MODES.index(mode)})


def _read(path: Path) -> dict[str, int]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise StoreError(f"{path.name} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise _not_understood(path) from None
    try:
        return _parsed(text)
    except ValueError:
        raise _not_understood(path) from None


def _parsed(text: str) -> dict[str, int]:
    """Raises ValueError for whatever is not in the format."""
    stripped = (line.rstrip() for line in text.split("\n"))
    lines = [line for line in stripped if line and not line.lstrip().startswith("#")]
    if lines in _EMPTY:
        return {}
    if lines[0] != "config:":
        raise ValueError(lines[0])
    pairs = zip(lines[1::2], lines[2::2], strict=True)
    return {_key(above): int(_matched(_MODE, below)) for above, below in pairs}


def _key(line: str) -> str:
    key = _matched(_KEY, line)
    if key.startswith('"'):
        return str(json.loads(key))
    return key[1:-1].replace("''", "'") if key.startswith("'") else key


def _matched(pattern: re.Pattern[str], line: str) -> str:
    found = pattern.fullmatch(line)
    if found is None:
        raise ValueError(line)
    return found.group(1)


def _write(path: Path, modes: Mapping[str, int]) -> None:
    """Whole or not at all: a reader never sees half a file."""
    lines = ["config:"]
    for account in sorted(modes):
        lines.append(f"  {json.dumps(account, ensure_ascii=False)}:")
        lines.append(f"    trust_mode: {modes[account]}")
    new = path.with_name(f".{path.name}.new")
    try:
        new.write_text("\n".join([*lines, ""]), encoding="utf-8")
        new.replace(path)
    except OSError as error:
        raise StoreError(f"{path.name} cannot be written: {error.strerror}") from error


@contextlib.contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """One writer at a time, of all threads and processes."""
    try:
        directory_fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise StoreError(f"{directory.name} cannot be opened: {error.strerror}") from error
    try:
        fcntl.flock(directory_fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(directory_fd)


def _not_understood(path: Path) -> StoreError:
    return StoreError(f"{path.name} cannot be understood; it is left as it is")
