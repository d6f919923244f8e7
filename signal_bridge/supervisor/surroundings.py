"""What a child finds around it on any host: a locale, media types, a temporary directory.

signal-cli takes the names of files from the locale and the media type of an attachment from a table
of the system (signal-cli.rst 4.6). Both are brought along, so that neither a service without `LANG`
nor an image without `/etc/mime.types` changes what arrives at Signal.
"""

from __future__ import annotations

import ctypes
import dataclasses
import logging
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from signal_bridge.errors import StartError
from signal_bridge.supervisor.places import trouble_with

log = logging.getLogger(__name__)

# LC_CTYPE alone (locale.h, the same in glibc and musl): what file names are made of.
_CHARACTERS_MASK: Final = 1
# Java looks for this name in `user.home`, before /etc/mime.types (JDK 25, LinuxFileSystemProvider).
_MEDIA_TYPES_NAME: Final = ".mime.types"

# All that is passed on to the child. Of the rest nobody knows what it holds: passwords, tokens, the
# address of a database, of this program or of another. A script may set what else it needs, and be
# named by BRIDGE_SIGNAL_CLI.
_NEEDED: Final = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "TMPDIR"),
        # what its start script and the JVM take options from (signal-cli.rst 4.1)
        *("JAVA_HOME", "SIGNAL_CLI_OPTS", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"),
        # what the loader of programs goes by, and a TLS library that is not Java's
        *("LD_LIBRARY_PATH", "LD_PRELOAD", "SSL_CERT_FILE", "SSL_CERT_DIR"),
        # the JVM has options for it; a script around it, or a native binary, may go by these
        *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
        *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    }
)
_OF_THE_LOCALE: Final = ("LANG", "LC_")


@dataclasses.dataclass(frozen=True)
class Surroundings:
    """`home` is what Java takes for the user's home. It holds the table of media types.

    `temporary` is emptied before each start of the child; None where no program may be loaded from
    it, which signal-cli does: then it uses the system's.
    """

    home: Path
    temporary: Path | None

    @property
    def java_properties(self) -> tuple[str, ...]:
        """The options that a JVM, or a native binary made of one, understands.

        The environment does not say it: Java asks the system for the user's home, and has a
        temporary directory of its own.
        """
        moved = (f"-Djava.io.tmpdir={self.temporary}",) if self.temporary else ()
        return (f"-Duser.home={self.home}", *moved)

    def environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """The environment of the child, made from ours."""
        temporary = {"TMPDIR": str(self.temporary)} if self.temporary else {}
        passed_on = {name: value for name, value in environ.items() if _is_needed(name)}
        return {**with_utf8(passed_on), "TZ": "UTC", **temporary}


def prepare(directory: Path, media_types: Mapping[str, str]) -> Surroundings:
    """Make the surroundings below `directory`.

    `media_types` maps extensions without their dot to media types. Raises StartError.
    """
    home, temporary = directory / "home", directory / "tmp"
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        home.mkdir(exist_ok=True, mode=0o700)
        _write_if_new(home / _MEDIA_TYPES_NAME, media_type_table(media_types))
        make_empty(temporary)
        loads_programs = not os.statvfs(temporary).f_flag & os.ST_NOEXEC
    except OSError as error:
        raise StartError(trouble_with(directory, error)) from None
    return Surroundings(home, temporary if loads_programs else None)


def make_empty(directory: Path) -> None:
    """A directory that only this user may enter, with nothing in it that can be removed.

    What another user has left there, as root does, takes room and is in nobody's way. Raises
    OSError.
    """
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)


def media_type_table(media_types: Mapping[str, str]) -> str:
    """The same as lines of a `mime.types` file. Java minds the case of an extension."""
    return "".join(
        f"{media_type} {extension} {extension.upper()}\n"
        for extension, media_type in sorted(media_types.items())
    )


def with_utf8(environ: Mapping[str, str]) -> dict[str, str]:
    """`environ` with a locale whose characters are UTF-8, in Python as well.

    Unchanged, and a line in the log, where the system has none.
    """
    locale = utf8_locale(environ)
    if locale is None:
        log.warning(
            "this system has no UTF-8 locale: attachments whose names are not ASCII cannot be "
            "sent. Install the locale C.UTF-8"
        )
        return dict(environ)
    return {**environ, "LC_ALL": locale, "LANG": locale, "PYTHONUTF8": "1"}


def utf8_locale(
    environ: Mapping[str, str], is_installed: Callable[[str], bool] | None = None
) -> str | None:
    """The name of an installed UTF-8 locale: one without a language if possible."""
    own = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or ""
    is_utf8 = own.lower().replace("-", "").endswith("utf8")
    candidates = ("C.UTF-8", *((own,) if is_utf8 else ()), "en_US.UTF-8")
    return next(filter(is_installed or _is_installed, candidates), None)


def _is_installed(locale: str) -> bool:
    """Asks the C library, which changes nothing in this process."""
    library = ctypes.CDLL(None)
    library.newlocale.restype = ctypes.c_void_p
    library.newlocale.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
    library.freelocale.argtypes = (ctypes.c_void_p,)
    found = library.newlocale(_CHARACTERS_MASK, os.fsencode(locale), None)
    if found:
        library.freelocale(found)
    return bool(found)


def _is_needed(name: str) -> bool:
    return name in _NEEDED or name.startswith(_OF_THE_LOCALE)


def _write_if_new(path: Path, text: str) -> None:
    """In one step. What is there already is left alone: a disk may be full."""
    if path.exists() and path.read_text(encoding="utf-8", errors="replace") == text:
        return
    draft = path.with_name(f"{path.name}.new")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
