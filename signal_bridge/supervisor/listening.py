"""The sockets and the lock that a supervisor holds for its children.

The parent binds and the children inherit: nobody can come between, a stale file is no trouble,
and who connects while a child restarts waits in the queue instead of being refused.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket
import threading
from pathlib import Path
from typing import Final

from signal_bridge.clock import Deadline, pause
from signal_bridge.errors import StartError
from signal_bridge.supervisor.places import trouble_with

_BACKLOG: Final = 512
_IN_USE_SECONDS: Final = 1.0


def lock(path: Path) -> int:
    """Take the lock file at `path` for the life of this process; its file descriptor.

    Raises StartError when another bridge holds it, or it cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        held = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StartError(
            f'Another Signal Bridge uses the data directory "{path.parent.parent}": '
            f"stop it first, or set SIGNAL_CLI_CONFIG_DIR to another directory"
        ) from None
    except OSError as error:
        raise StartError(f"The lock cannot be taken. {trouble_with(path, error)}") from None
    return held


def listen_unix(path: Path) -> socket.socket:
    """A listening UNIX socket that only this user may connect to.

    Whoever calls holds the lock, so a file that is there is a left-over. Raises StartError.
    """
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        listening.bind(str(path))
        path.chmod(0o600)
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise StartError(f"The socket cannot be made. {trouble_with(path, error)}") from None
    return listening


def listen_tcp(host: str, port: int, stop: threading.Event) -> socket.socket:
    """A listening TCP socket. Raises StartError that says what to do when the port is taken.

    A port that is taken is waited for, a second or until `stop` is set.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise StartError(f'BRIDGE_HOST "{host}" cannot be listened on: {error.strerror}') from None
    except UnicodeError:
        raise StartError(f'BRIDGE_HOST "{host}" is not the name of a host') from None
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        _bind(listening, host, port, stop)
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise StartError(_unusable_address(host, port, error)) from None
    return listening


def _unusable_address(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRNOTAVAIL:
        return (
            f"{host} is not an address of this machine: set BRIDGE_HOST to one that is, or to "
            f"0.0.0.0 for all of them"
        )
    what_to_do = "Stop what uses it, or set PORT to another"
    if error.errno == errno.EACCES:
        what_to_do = (
            "Ports this low are for the system (net.ipv4.ip_unprivileged_port_start): set PORT to "
            "8080, and have a proxy or the container's port mapping take the low one"
        )
    return f"Port {port} on {host} cannot be used: {error.strerror}. {what_to_do}"


def _bind(listening: socket.socket, host: str, port: int, stop: threading.Event) -> None:
    """Bind; a port in use is given a second, for the workers of a killed bridge die after it."""
    deadline = Deadline(_IN_USE_SECONDS)
    while True:
        try:
            return listening.bind((host, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE or deadline.expired() or pause(0.05, stop):
                raise
