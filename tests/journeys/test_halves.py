"""The daemon and the web half as programs of their own: one may go while the other works."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys import http
from tests.journeys.reading import received_text
from tests.support import Halves, eventually

ALICE, BOB = "+12025550100", "+12025550101"
BOUNDARY = "between-parts"
FILE = b"a" * 600_000


@pytest.fixture
def halves() -> Iterator[Halves]:
    with Halves(MODE="sandbox", BRIDGE_WORKERS=1) as halves:
        yield halves


def files_in_hand(halves: Halves) -> list[Path]:
    uploads = halves.daemon.config_dir / "bridge" / "uploads"
    return [path for path in uploads.rglob("*") if path.is_file()]


def field(name: str, value: str) -> bytes:
    return (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
    ).encode()


def upload(text: str) -> bytes:
    """The body of a message with a file."""
    fields = {"number": ALICE, "recipients[]": BOB, "message": text}
    begin = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="attachment"; filename="a.bin"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    parts = [field(name, value) for name, value in fields.items()]
    return b"".join([*parts, begin.encode(), FILE, f"\r\n--{BOUNDARY}--\r\n".encode()])


def begin(halves: Halves, body: bytes) -> socket.socket:
    """Send half of an upload; returns when some of its file is on disk."""
    connection = http.connect(halves.daemon)
    connection.sendall(
        http.head(
            "POST",
            "/v2/send",
            f"Content-Type: multipart/form-data; boundary={BOUNDARY}",
            f"Content-Length: {len(body)}",
        )
        + body[: len(body) // 2]
    )
    eventually(
        lambda: any(path.stat().st_size for path in files_in_hand(halves)),
        20,
        "some of the file on disk",
    )
    return connection


def test_an_upload_in_hand_survives_a_restart_of_the_daemon(halves: Halves) -> None:
    body = upload("slowly")
    with begin(halves, body) as connection:
        halves.restart_daemon()
        connection.sendall(body[len(body) // 2 :])
        status, answer = http.answer(connection)
    assert status == 201, answer
    received_text(halves.daemon, BOB, "slowly")
    eventually(lambda: not files_in_hand(halves), what="nothing left behind")


def test_what_a_killed_web_half_had_in_hand_is_swept_when_the_daemon_starts(
    halves: Halves,
) -> None:
    with begin(halves, upload("never")):
        halves.kill_web()
    assert files_in_hand(halves)
    halves.start_web()
    halves.restart_daemon()
    assert files_in_hand(halves) == []
