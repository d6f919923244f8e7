"""The listening sockets: `--socket`, `--tcp`, one inherited as stdin (signal-cli.rst 1.1, 4.3)."""

from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from signal_bridge.sandbox.errors import StartFailure
from signal_bridge.sandbox.options import Options

BACKLOG: Final = 512
STDIN: Final = 0


@dataclass(frozen=True)
class Channel:
    """One listening socket. `remove` is the file to take away at the end."""

    socket: socket.socket
    remove: Path | None = None

    @property
    def name(self) -> str:
        """As the log has it: a path, or `/127.0.0.1:7583`, from which a client learns the port."""
        address = self.socket.getsockname()
        return f"/{address[0]}:{address[1]}" if isinstance(address, tuple) else str(address)


def open_all(options: Options) -> list[Channel]:
    """Bind all that the command line asks for, at least one. Raises StartFailure."""
    channels = list(_open_each(options))
    if not channels:
        raise StartFailure(*options.version.no_channel)
    return channels


def _open_each(options: Options) -> Iterator[Channel]:
    inherited = _stdin_listener()
    if inherited:
        yield Channel(inherited)
    if options.socket:
        yield _unix(options.socket)
    if options.tcp:
        yield Channel(_tcp(options.tcp))


def _stdin_listener() -> socket.socket | None:
    """Stdin, if a supervisor handed us a listening socket there."""
    try:
        if not stat.S_ISSOCK(os.fstat(STDIN).st_mode):
            return None
    except OSError:
        return None
    found = socket.socket(fileno=os.dup(STDIN))
    listening = found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    if listening and found.family in (socket.AF_UNIX, socket.AF_INET):
        return found
    found.close()
    return None


def _unix(path: Path) -> Channel:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(str(path))
    except OSError as error:
        reason = _reason(error) if error.errno else "Unix domain path too long"
        raise StartFailure(3, f"Failed to bind socket {path}: {reason}") from None
    listener.listen(BACKLOG)
    return Channel(listener, remove=path)


def _tcp(text: str) -> socket.socket:
    host, colon, port_text = text.rpartition(":")
    if not colon:
        raise StartFailure(1, f"Invalid tcp bind address (expected host:port): {text}")
    if not port_text.isdecimal() or int(port_text) > 65535:
        raise StartFailure(1, f"Invalid tcp port: {port_text}")
    address = (_resolve(host.strip("[]")), int(port_text))
    try:
        return socket.create_server(address, backlog=BACKLOG)
    except OSError as error:
        where = f"/{address[0]}:{address[1]}"
        raise StartFailure(3, f"Failed to bind socket {where}: {_reason(error)}") from None


def _resolve(host: str) -> str:
    try:
        found = socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_STREAM)
    except OSError:
        text = f"Invalid tcp bind address, invalid host: {host}"
        raise StartFailure(1, text) from None
    return str(found[0][4][0])


def _reason(error: OSError) -> str:
    return "Address already in use" if error.errno == errno.EADDRINUSE else str(error.strerror)
