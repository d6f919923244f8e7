"""What is larger than allowed is refused, says so, and is in nobody's way."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPResponse

import pytest

from tests.support import Bridge

ANN = "+12025550100"
BOB = "+12025550101"
MAX_BODY_BYTES = 100_000
MAX_FILE_BYTES = 20_000


@pytest.fixture(scope="module")
def small() -> Iterator[Bridge]:
    limits = {
        "BRIDGE_MAX_BODY_BYTES": MAX_BODY_BYTES,
        "BRIDGE_MAX_ATTACHMENT_BYTES": MAX_FILE_BYTES,
    }
    with Bridge(MODE="sandbox", **limits) as small:
        yield small.wait_ready()


@pytest.mark.parametrize("path", ["/v2/send", "/api/v1/rpc"])
def test_a_chunked_body_that_is_too_large_holds_up_no_later_request(
    small: Bridge, path: str
) -> None:
    left = b"x" * (MAX_BODY_BYTES + 30_000)  # less above the limit than Gunicorn reads by itself
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
    head += "Content-Type: application/json\r\n\r\n"
    body = head.encode() + b"%x\r\n" % len(left) + left + b"\r\n0\r\n\r\n"
    with closing(HTTPConnection("127.0.0.1", small.port, timeout=10)) as connection:
        for _ in range(50):
            connection.connect()
            connection.sock.sendall(body)
            answer = HTTPResponse(connection.sock)
            answer.begin()
            answer.read()
            assert answer.status == 413
            connection.sock.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            later = HTTPResponse(connection.sock)
            later.begin()
            assert later.status == 200
            connection.close()


@pytest.mark.parametrize(
    ("recipient", "status", "error"),
    [
        ("", 400, "at least one recipient"),
        ("group.1234", 400, "Invalid identifier group.1234"),
        (BOB, 413, f"{MAX_FILE_BYTES} bytes"),
    ],
)
def test_a_file_is_looked_at_when_everything_else_is_right(
    small: Bridge, recipient: str, status: int, error: str
) -> None:
    form = {"number": ANN, **({"recipients[]": recipient} if recipient else {})}
    files = {"attachment": ("a.bin", b"x" * (MAX_FILE_BYTES + 1))}
    answer = small.post("/v2/send", data=form, files=files)
    assert (answer.status_code, error in answer.json()["error"]) == (status, True)


def test_an_avatar_has_the_limit_of_a_file(small: Bridge) -> None:
    png = b"\x89PNG\r\n\x1a\n" + bytes(MAX_FILE_BYTES)
    body = {"name": "Ann", "base64_avatar": base64.b64encode(png).decode()}
    answer = small.put(f"/v1/profiles/{ANN}", json=body)
    assert answer.status_code == 413
