"""Received files (rest-surface.rst 5.11), straight from where signal-cli puts them."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from flask import Response, g, jsonify, send_file
from flask.typing import ResponseReturnValue

from signal_bridge.errors import BridgeError, NotFound, RequestError
from signal_bridge.signalcli.sniffing import HEAD_BYTES, sniff_content_type
from signal_bridge.web.edge.context import bridge

log = logging.getLogger(__name__)

_LONGEST_NAME_BYTES: Final = 255
_NOT_FOUND: Final = "No attachment with that name found"


def list_all() -> ResponseReturnValue:
    """The names of all received files, each of which can be fetched (rest-surface.rst 11.13)."""
    directory = bridge().settings.attachments_dir
    try:
        with os.scandir(directory) as entries:
            names = [entry.name for entry in entries if entry.is_file(follow_symlinks=False)]
    except FileNotFoundError:
        names = []
    except OSError as error:
        raise _failure("get list of attachments", error, f": {error.strerror}") from error
    return jsonify(sorted(filter(_can_be_named, names)))


def get(attachment: str) -> ResponseReturnValue:
    """The file, byte for byte, with a Content-Type told from what it holds.

    404 when there is none, 400 for a name that no file can have.
    """
    path = _file_named(attachment)
    with _file_errors("read attachment"):
        file = open_regular(path)
        content_type = sniff_content_type(file.read(HEAD_BYTES))
        file.seek(0)
    # Given the path, Flask would put the name into a header.
    response: Response = send_file(file, mimetype=content_type, conditional=False, etag=False)
    response.content_length = os.fstat(file.fileno()).st_size
    response.headers["Content-Type"] = content_type
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def delete(attachment: str) -> ResponseReturnValue:
    """Delete the file. 204. 404 when there is none, 400 for a name that no file can have."""
    path = _file_named(attachment)
    with _file_errors("delete attachment"):
        path.unlink()
    return "", 204


def _file_named(name: str) -> Path:
    """A regular file directly in the attachments directory, only that (rest-surface.rst 11.13).

    Raises RequestError for a name no file can have, NotFound otherwise.
    """
    if "\0" in name or len(name.encode()) > _LONGEST_NAME_BYTES:
        raise RequestError("Please provide a valid attachment name")
    path = bridge().settings.attachments_dir / name
    if "/" in name or name in (".", "..") or path.is_symlink() or not path.is_file():
        raise NotFound(_NOT_FOUND)
    return path


def open_regular(path: Path) -> IO[bytes]:
    """A regular file, to read. Raises NotFound for anything else, at once, or OSError.

    Unbuffered, since Gunicorn sends from where the descriptor is. Whatever was there a moment ago,
    a link is not followed, and a pipe nobody writes to is not waited for.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):  # a link, a socket
            raise NotFound(_NOT_FOUND) from None
        raise
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return open(fd, "rb", buffering=0)  # whoever asked closes it
    os.close(fd)
    raise NotFound(_NOT_FOUND)


def _can_be_named(name: str) -> bool:
    """Whether a path can name it: one that is not UTF-8 cannot be asked for."""
    with contextlib.suppress(UnicodeEncodeError):
        name.encode()
        return True
    return False


@contextlib.contextmanager
def _file_errors(what: str) -> Iterator[None]:
    """A file may go away at any time, or belong to somebody else."""
    try:
        yield
    except FileNotFoundError:
        raise NotFound(_NOT_FOUND) from None
    except OSError as error:
        raise _failure(what, error, " - please try again later") from error


def _failure(what: str, error: OSError, ending: str) -> BridgeError:
    log.warning("%s cannot %s: %s", g.request_id, what, error.strerror)
    return BridgeError(f"Couldn't {what}{ending}")
