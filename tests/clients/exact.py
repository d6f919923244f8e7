"""HTTP to the letter: paths and headers as they are written, which no client library allows."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterable, Mapping
from typing import Any

from tests.support import Bridge

SECONDS = 60


def connected(bridge: Bridge) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", bridge.port, timeout=SECONDS)


def ask(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: bytes | Iterable[bytes] | None = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, bytes]:
    """One exchange on a connection that stays: status and body. An iterable is sent in chunks."""
    chunked = body is not None and not isinstance(body, bytes)
    connection.putrequest(method, path, skip_accept_encoding=True)
    for name, value in (headers or {}).items():
        connection.putheader(name, value)
    if chunked:
        connection.putheader("Transfer-Encoding", "chunked")
    elif method != "GET":
        connection.putheader("Content-Length", str(len(body or b"")))  # type: ignore[arg-type]
    connection.endheaders(body, encode_chunked=chunked)
    answer = connection.getresponse()
    return answer.status, answer.read()


def post_json(bridge: Bridge, path: str, value: Any, content_type: str | None) -> tuple[int, Any]:
    """Posted under a Content-Type, or none at all."""
    connection = connected(bridge)
    headers = {} if content_type is None else {"Content-Type": content_type}
    status, body = ask(connection, "POST", path, json.dumps(value).encode(), headers)
    connection.close()
    return status, json.loads(body)
