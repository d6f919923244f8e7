"""HTTP by hand: what no well-behaved client library would send."""

from __future__ import annotations

import socket
import struct

from tests.support import Bridge

SECONDS = 20.0


def connect(bridge: Bridge) -> socket.socket:
    return socket.create_connection(("127.0.0.1", bridge.port), timeout=SECONDS)


def head(method: str, path: str, *headers: str) -> bytes:
    """A request's first lines; the answer ends the connection."""
    lines = (f"{method} {path} HTTP/1.1", "Host: bridge", "Connection: close", *headers)
    return "\r\n".join((*lines, "", "")).encode()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def answer(connection: socket.socket) -> tuple[int, bytes]:
    """The status and the body, up to the end of the connection; (0, b"") if there is none."""
    got = b""
    try:
        while data := connection.recv(65536):
            got += data
    except ConnectionResetError:
        pass  # what came before counts
    first, _, rest = got.partition(b"\r\n")
    return (int(first.split()[1]) if first else 0), rest.partition(b"\r\n\r\n")[2]


def exchange(bridge: Bridge, request: bytes) -> tuple[int, bytes]:
    with connect(bridge) as connection:
        connection.sendall(request)
        return answer(connection)


def vanish(connection: socket.socket) -> None:
    """The client is gone, without a word of goodbye (RST)."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
