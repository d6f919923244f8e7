"""Nobody else reads what the bridge and signal-cli keep: what others may enter is closed at start.

Our processes have a umask of 077, and signal-cli inherits it; so this is about what was there
before. In a directory that nobody may enter it matters little what the files are like: only those
that the bridge knows by name are closed as well, never what somebody has laid beside them.
"""

from __future__ import annotations

import contextlib
import logging
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from signal_bridge.settings import Settings
from signal_bridge.settingtexts import sqlite_path
from signal_bridge.supervisor.places import SANDBOX_MARK, user_text, written_places

log = logging.getLogger(__name__)

_OF_OTHERS: Final = 0o077
# What is replaced as a whole or never written again, and so is not among `written_places`.
_REPLACED: Final = (
    "api-config.yml",
    "bridge/signal-cli/home/.mime.types",
    f"data/{SANDBOX_MARK}",
)
# Enough to know what it was about.
_NAMED: Final = 12


class _Wide(NamedTuple):
    """What others may look into; `why` it stays so, empty when it does not."""

    place: Path
    mode: int
    why: str


def close_to_others(settings: Settings) -> None:
    """Take from everybody else what rights they have to the bridge's directories and files.

    What belongs to another user, may not be changed, or is a directory for others as well is left
    and told. Where SIGNAL_CLI_CHOWN_ON_STARTUP is off, the operator decides who reads: all is left.
    The data of somebody else's signal-cli is its own business. Never raises OSError.
    """
    found = list(_closed(settings))
    if closed := [_shown(wide, settings) for wide in found if not wide.why]:
        log.warning("closed to other users, who could read it: %s", _some(closed))
    if left := [f"{_shown(wide, settings)} {wide.why}" for wide in found if wide.why]:
        log.warning("other users may read this: %s", _some(left))


def _closed(settings: Settings) -> Iterator[_Wide]:
    for place in dict.fromkeys(_private_places(settings)):
        with contextlib.suppress(OSError):  # not there
            status = place.stat() if place == settings.config_dir else place.lstat()
            mode = stat.S_IMODE(status.st_mode)
            if mode & _OF_OTHERS and not stat.S_ISLNK(status.st_mode):
                why = _why_left(place, status, settings) or _close(place, mode)
                yield _Wide(place, mode, why)


def _private_places(settings: Settings) -> Iterator[Path]:
    top, runtime = settings.config_dir, settings.runtime_dir
    if settings.supervised:
        yield top
    yield from (top / "bridge", runtime)
    yield from written_places(settings)
    yield from (top / name for name in _REPLACED)
    if (path := sqlite_path(settings.database_url)) is not None:
        bells = path.with_name(f"{path.name}-bells")
        with contextlib.suppress(OSError):
            yield from bells.iterdir()


def _why_left(place: Path, status: os.stat_result, settings: Settings) -> str:
    """Why the bridge should not touch it; empty when it should."""
    if status.st_uid != os.geteuid():
        return f"belongs to {user_text(status.st_uid)}"
    if not settings.chown_at_start:
        return "is left so by SIGNAL_CLI_CHOWN_ON_STARTUP"
    if status.st_mode & stat.S_ISVTX or (place == settings.runtime_dir and _is_shared(settings)):
        return "is for others as well"
    return ""


def _is_shared(settings: Settings) -> bool:
    """Whether the sockets lie in such as /run: to close that would keep others from their work."""
    if settings.runtime_dir.is_relative_to(settings.config_dir):
        return False
    own = {settings.socket_path.name, settings.uploads_dir.name}
    with contextlib.suppress(OSError):
        return not own.issuperset(os.listdir(settings.runtime_dir))
    return True


def _close(place: Path, mode: int) -> str:
    """Why that was not possible, empty when it was."""
    try:
        place.chmod(mode & ~_OF_OTHERS)
    except OSError as error:
        return f"cannot be closed: {error.strerror}"
    return ""


def _shown(wide: _Wide, settings: Settings) -> str:
    inside = wide.place.is_relative_to(settings.config_dir) and wide.place != settings.config_dir
    name = wide.place.relative_to(settings.config_dir) if inside else wide.place
    return f'"{name}" ({wide.mode:04o})'


def _some(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - _NAMED} more" if len(texts) > _NAMED else ""
    return ", ".join(texts[:_NAMED]) + more
