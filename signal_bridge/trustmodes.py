"""`api-config.yml`: each account's trust mode, where signal-cli-rest-api keeps it.

    config:
      '+4915112345':
        trust_mode: 1

0 is `on-first-use`, 1 `always`, 2 `never` (rest-surface.rst 7). That is the whole format: a file
that has anything else in it is left alone, for writing would lose it.

PyYAML is loaded where it is used: it would add 13 ms to each start, for two routes that are rarely
asked.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from signal_bridge.errors import RequestError, StoreError

MODES: Final = ("on-first-use", "always", "never")
MOST_ACCOUNTS: Final = 1000
"""More than one signal-cli serves. The whole file is read for each that is asked for."""

# A file without an account, as it is read: YAML's null is an empty text there.
_EMPTY: Final[tuple[object, ...]] = (None, "", {}, {"config": {}}, {"config": ""})


def config_path(config_dir: Path) -> Path:
    """The file in signal-cli's data directory."""
    return config_dir / "api-config.yml"


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


def store_mode(path: Path, account: str, mode: str, most: int = MOST_ACCOUNTS) -> None:
    """Store the mode of the account, beside those of the others.

    Raises StoreError, or RequestError when the file has `most` accounts already.
    """
    with _write_lock(path.parent):
        modes = _read(path)
        if account not in modes and len(modes) >= most:
            raise RequestError(f"There are trust modes of {most} accounts, and no more can be")
        _write(path, modes | {account: MODES.index(mode)})


def forget_mode(path: Path, account: str) -> None:
    """Store no mode of the account any more. Raises StoreError."""
    if account not in _read(path):  # of most there is none, and then nothing is locked
        return
    with _write_lock(path.parent):
        _write(path, {one: mode for one, mode in _read(path).items() if one != account})


def _read(path: Path) -> dict[str, int]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise StoreError(f"{path.name} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise _format_error(path) from None
    try:
        return _modes(text)
    except ValueError:
        raise _format_error(path) from None


def _modes(text: str) -> dict[str, int]:
    """Raises ValueError for whatever is not YAML, or not in the format."""
    import yaml  # see above

    try:
        # To this loader every scalar is a text. YAML's own rules take an unquoted +12025550100
        # for a number, and the plus would be lost.
        document = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - it makes no objects
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError("not YAML") from error
    if document in _EMPTY:
        return {}
    entries = _mapping(_only_member("config", document))
    return {one: _whole(_only_member("trust_mode", entry)) for one, entry in entries.items()}


def _only_member(key: str, value: Any) -> Any:
    members = _mapping(value)
    if list(members) != [key]:
        raise ValueError(f"{key} expected, and nothing else")
    return members[key]


def _mapping(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    raise ValueError("a mapping expected")


def _whole(value: Any) -> int:
    if not isinstance(value, str) or not (value.isascii() and value.isdigit()):
        raise ValueError("a whole number expected")
    return int(value)


def _write(path: Path, modes: Mapping[str, int]) -> None:
    """Whole or not at all: a reader never sees half a file."""
    import yaml  # see above

    config = {account: {"trust_mode": mode} for account, mode in modes.items()}
    new = path.with_name(f".{path.name}.new")
    try:
        new.write_text(yaml.safe_dump({"config": config}), encoding="utf-8")
        new.replace(path)
    except OSError as error:
        raise StoreError(f"{path.name} cannot be written: {error.strerror}") from error


@contextlib.contextmanager
def _write_lock(directory: Path) -> Iterator[None]:
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


def _format_error(path: Path) -> StoreError:
    return StoreError(f"{path.name} cannot be understood; it is left as it is")
