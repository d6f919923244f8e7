"""The data directory at start: ours to write, and of one kind, real or pretended.

What is wrong with it becomes one sentence that names the place, whose it is, and what to do.
"""

from __future__ import annotations

import errno
import json
import os
import pwd
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from signal_bridge.errors import StartError
from signal_bridge.settings import Settings
from signal_bridge.settingtexts import sqlite_path

# Beside signal-cli's list of accounts, where the sandbox invented them (sandbox/accounts_file.py).
SANDBOX_MARK: Final = "accounts-are-of-the-sandbox"
# Of what lies in a data directory, what is written. Other things may be anybody's: a volume has a
# `lost+found` of root's, a directory somebody's copy of a file.
_OF_THE_BRIDGE: Final = ("bridge", "bridge/lock", "bridge/node")
_OF_OUR_SIGNAL_CLI: Final = ("bridge/signal-cli", "bridge/signal-cli/*")
_OF_SIGNAL_CLI: Final = ("data", "data/accounts.json", "attachments", "avatars", "stickers")
_OF_AN_ACCOUNT: Final = ("{}", "{}.d", "{}.d/account.db", "{}.d/msg-cache")
# Its name, and what SQLite and the bells (store/bells.py) put behind it.
_OF_A_DATABASE: Final = ("", "-wal", "-shm", "-bells")


def prepare_data_directory(settings: Settings) -> None:
    """Make the directories of the bridge, and see to it that what it writes can be written.

    The data of a signal-cli of somebody else's may be its alone. Raises StartError when something
    cannot be written, or when the accounts there are of the other kind.
    """
    for directory in (settings.config_dir, settings.config_dir / "bridge", settings.runtime_dir):
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StartError(trouble_with(directory, error)) from None
        if settings.supervised or directory != settings.config_dir:
            _check_writable(directory, settings.config_dir)
    for place in written_places(settings):
        _check_writable(place, settings.config_dir)
    if settings.supervised:
        _check_kind(settings)


def trouble_with(place: Path, error: OSError, top: Path | None = None) -> str:
    """What keeps the bridge from using `place`, and what to do about it.

    `top` is the directory all of which is the bridge's.
    """
    existing = next(one for one in (place, *place.parents) if os.path.exists(one))
    if error.errno in (errno.EACCES, errno.EPERM):
        return _not_ours(existing, place, top or place)
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return f'"{existing}" is a file where a directory is needed: move it, or name another place'
    if error.errno == errno.EROFS:
        return (
            f'"{existing}" is on a file system that is mounted read-only: mount it so that the '
            f"bridge can write (a volume without :ro)"
        )
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f'"{place}" cannot be written, since no room is left on its disk: make some'
    return f'"{place}" cannot be used: {error.strerror}'


def _not_ours(existing: Path, place: Path, top: Path) -> str:
    """About what another user owns, or its owner may not write."""
    uid, gid, owner_uid = os.geteuid(), os.getegid(), existing.stat().st_uid
    target = shlex.quote(str(top))
    if not os.access(existing, os.X_OK, effective_ids=True) and existing != place:
        return (
            f'"{place}" cannot be reached: "{existing}" belongs to {user_text(owner_uid)} and lets '
            f"nobody else in, and the bridge runs as {user_text(uid)}. Name another place"
        )
    if existing != place:
        return (
            f'"{place}" cannot be made: "{existing}" belongs to {user_text(owner_uid)}, and the '
            f"bridge runs as {user_text(uid)}. "
            f"As root: install -d -o {uid} -g {gid} -m 700 {target}"
        )
    if owner_uid == uid:
        return (
            f'"{place}" may not be read and written by {user_text(uid)}, who owns it and runs '
            f"the bridge: chmod -R u+rwX {target}"
        )
    return (
        f'"{place}" belongs to {user_text(owner_uid)}, and the bridge runs as {user_text(uid)}. '
        f"As root: chown -R {uid}:{gid} {target}"
    )


def user_text(uid: int) -> str:
    """`name (uid 1000)`, for a user without a name `uid 1000`."""
    try:
        return f"{pwd.getpwuid(uid).pw_name} (uid {uid})"
    except KeyError:
        return f"uid {uid}"


def _check_writable(place: Path, top: Path) -> None:
    if (error := _refusal(place)) is not None:
        raise StartError(trouble_with(place, error, top))


def written_places(settings: Settings) -> Iterator[Path]:
    """What the bridge and its signal-cli write in place, if it exists, the outer before the inner.

    What is replaced as a whole, as a socket is, may be anybody's: its directory says who may.
    """
    top, data = settings.config_dir, settings.config_dir / "data"
    yield from _existing(top, _OF_THE_BRIDGE)
    yield from _existing(settings.runtime_dir, ("uploads",))
    if (path := sqlite_path(settings.database_url)) is not None:
        yield from _existing(path.parent, (f"{path.name}{end}" for end in _OF_A_DATABASE))
    if not settings.supervised:
        return
    yield from _existing(top, (*_OF_OUR_SIGNAL_CLI, *_OF_SIGNAL_CLI))
    for entry in _listed_accounts(data / "accounts.json"):
        yield from _existing(data, (form.format(entry.get("path")) for form in _OF_AN_ACCOUNT))


def _existing(top: Path, patterns: Iterable[str]) -> Iterator[Path]:
    for pattern in patterns:
        head, star, _ = pattern.partition("/*")
        found = sorted((top / head).glob("*")) if star else [top / head]
        yield from (one for one in found if os.path.exists(one))


def _refusal(place: Path) -> OSError | None:
    """Why this process may not read and write `place`; None when it may."""
    wanted = os.R_OK | os.W_OK | (os.X_OK if os.path.isdir(place) else 0)
    if os.access(place, wanted, effective_ids=True):
        return None
    try:
        read_only = os.statvfs(place).f_flag & os.ST_RDONLY
    except FileNotFoundError:
        return None  # gone meanwhile
    except OSError as error:
        return error
    number = errno.EROFS if read_only else errno.EACCES
    return OSError(number, os.strerror(number))


# -- real or pretended ---------------------------------------------------------------------------


def _check_kind(settings: Settings) -> None:
    """Pretended accounts and real ones do not share a directory: each would believe the other's."""
    kind = kind_of_accounts(settings.config_dir)
    if settings.is_sandbox and kind == "real":
        raise StartError(
            f'"{settings.config_dir}" holds real accounts, and MODE=sandbox would put pretended '
            f"ones among them: set SIGNAL_CLI_CONFIG_DIR to an empty directory, or another MODE"
        )
    if not settings.is_sandbox and kind == "pretended":
        raise StartError(
            f'"{settings.config_dir}" holds the pretended accounts of MODE=sandbox, and '
            f"MODE={settings.mode} would put real ones among them: set SIGNAL_CLI_CONFIG_DIR to "
            f"an empty directory, or delete what is in this one"
        )


def kind_of_accounts(config_dir: Path) -> str:
    """`real`, `pretended`, or empty where there are none yet.

    A real account has data of its own beside the list, which the sandbox never writes
    (signal-cli.rst 4.2).
    """
    data = config_dir / "data"
    listed = _listed_accounts(data / "accounts.json")
    if any((data / str(entry.get("path"))).is_file() for entry in listed):
        return "real"
    if (data / SANDBOX_MARK).exists():
        return "pretended"
    return "real" if listed else ""


def _listed_accounts(path: Path) -> list[dict[str, Any]]:
    """As far as the list can be read; signal-cli itself complains of one that it cannot."""
    try:
        entries = json.loads(path.read_bytes())["accounts"]
        return [entry for entry in entries if isinstance(entry, dict)]
    except (OSError, ValueError, KeyError, TypeError):
        return []
