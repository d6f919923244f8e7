"""Files on their way take so much room and no more, and events never lack it."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.journeys import http
from tests.journeys.reading import received_text
from tests.support import Bridge, eventually
from tests.support.parts import part_missing

ALICE, BOB = "+12025550100", "+12025550101"
MIB = 2**20
ROOM_BYTES = 16 * MIB
BOUNDARY = "between-parts"
ONE, OTHER, THIRD = "192.0.2.1", "192.0.2.2", "2001:db8::3"
# What the bridge has been sent and has not written yet.
SLACK_BYTES = MIB


def uploads_of(bridge: Bridge) -> Path:
    return bridge.config_dir / "bridge" / "uploads"


def on_disk_bytes(bridge: Bridge) -> int:
    total = 0
    for place, _, files in os.walk(uploads_of(bridge)):
        for file in files:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(place, file)).st_size
    return total


def body(text: str, size_bytes: int) -> bytes:
    """A form with a message and a file."""
    fields = {"number": ALICE, "recipients[]": BOB, "message": text}
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="attachment"; filename="a.bin"'
    return "".join((*parts, head, "\r\n\r\n")).encode() + bytes(size_bytes)


def headers(client: str) -> dict[str, str]:
    return {
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        "X-Forwarded-For": client,
    }


def send(bridge: Bridge, client: str, size_bytes: int, text: str = "m") -> requests.Response:
    data = body(text, size_bytes) + f"\r\n--{BOUNDARY}--\r\n".encode()
    return bridge.post("/v2/send", data=data, headers=headers(client))


@contextlib.contextmanager
def uploading(bridge: Bridge, client: str, size_bytes: int) -> Iterator[socket.socket]:
    """Within the block so much of a file lies on the disk, and the rest does not come."""
    before = on_disk_bytes(bridge)
    lines = (f"{name}: {value}" for name, value in headers(client).items())
    with http.connect(bridge) as connection:
        connection.sendall(
            http.head("POST", "/v2/send", f"Content-Length: {size_bytes + 10_000}", *lines)
            + body("never", size_bytes)
        )
        eventually(
            lambda: on_disk_bytes(bridge) - before > size_bytes - 2 * SLACK_BYTES,
            20,
            lambda: f"{on_disk_bytes(bridge) - before} of {size_bytes} on the disk",
        )
        yield connection


@pytest.fixture(scope="module")
def crowded() -> Iterator[Bridge]:
    """Two workers with little room, behind a proxy that says whom a request is from."""
    settings = {"BRIDGE_WORKERS": 2, "BRIDGE_TRUSTED_PROXIES": "127.0.0.1"}
    with Bridge(BRIDGE_SPOOL_BYTES=ROOM_BYTES, **settings) as bridge:
        yield bridge.wait_ready()
        assert "Traceback" not in bridge.log
        bridge.stop()


@pytest.fixture(autouse=True)
def _nothing_is_left(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "crowded" in request.fixturenames:
        bridge = request.getfixturevalue("crowded")
        eventually(lambda: not list(uploads_of(bridge).iterdir()), what="no file is left")


def check_refused(answer: requests.Response, status: int, code: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.json()["code"] == code
    assert answer.json()["retryable"] is True
    assert int(answer.headers["Retry-After"]) > 0


def check_works(bridge: Bridge, client: str, text: str) -> None:
    """A message without a file is sent and received."""
    message = {"number": ALICE, "recipients": [BOB], "message": text}
    answer = bridge.post("/v2/send", json=message, headers={"X-Forwarded-For": client})
    assert answer.status_code == 201, answer.text
    received_text(bridge, BOB, text)


def test_a_client_whose_files_take_half_of_the_room_gets_429_and_others_go_on(
    crowded: Bridge,
) -> None:
    with uploading(crowded, ONE, 4 * MIB), uploading(crowded, ONE, 3 * MIB) as second:
        check_refused(send(crowded, ONE, 3 * MIB), 429, "too_many_requests")
        assert send(crowded, OTHER, 3 * MIB).status_code == 201
        check_works(crowded, ONE, "without a file")
        http.vanish(second)
        eventually(lambda: send(crowded, ONE, 3 * MIB).status_code == 201, 20)


def test_a_room_that_is_full_is_503_and_messages_without_files_go_on(crowded: Bridge) -> None:
    with uploading(crowded, ONE, 7 * MIB), uploading(crowded, OTHER, 7 * MIB):
        check_refused(send(crowded, THIRD, 4 * MIB), 503, "too_busy")
        check_works(crowded, THIRD, "although the room is full")
        assert crowded.get("/readyz").status_code == 200
    eventually(lambda: send(crowded, THIRD, 4 * MIB).status_code == 201, 20)


def test_a_request_for_which_there_is_never_room_is_413(crowded: Bridge) -> None:
    answer = send(crowded, ONE, 9 * MIB)
    assert answer.status_code == 413, answer.text
    assert answer.json()["retryable"] is False
    assert str(ROOM_BYTES // 2) in answer.json()["error"]


def test_base64_counts_as_the_form_does(crowded: Bridge) -> None:
    with uploading(crowded, ONE, 7 * MIB):
        file = "A" * (4 * MIB)
        message = {"number": ALICE, "recipients": [BOB], "base64_attachments": [file]}
        answer = crowded.post("/v2/send", json=message, headers={"X-Forwarded-For": ONE})
        check_refused(answer, 429, "too_many_requests")


def test_many_at_once_never_take_more_than_there_is(crowded: Bridge) -> None:
    clients = [f"192.0.2.{number}" for number in range(100, 140)]
    most, done = [0], threading.Event()

    def watch() -> None:
        while not done.is_set():
            most.append(on_disk_bytes(crowded))

    watching = threading.Thread(target=watch)
    watching.start()
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda one: send(crowded, one, 3 * MIB), clients))
    done.set()
    watching.join(20)
    assert {answer.status_code for answer in answers} <= {201, 503}
    assert any(answer.status_code == 201 for answer in answers)
    # A worker knows its own to the byte, and looks at the other's a few times a second.
    assert 0 < max(most) < 2 * ROOM_BYTES


def test_what_killed_workers_left_is_in_nobodys_way(crowded: Bridge) -> None:
    with uploading(crowded, ONE, 4 * MIB), uploading(crowded, ONE, 3 * MIB):
        workers = [one for one in crowded.children() if "gunicorn" in one.command][1:]
        for worker in workers:
            worker.kill()
        eventually(lambda: not any(one.is_alive() for one in workers), 20)
    crowded.wait_open()
    assert list(uploads_of(crowded).iterdir()), "what they had"
    assert send(crowded, ONE, 6 * MIB).status_code == 201


# -- the disk --------------------------------------------------------------------------------------


@pytest.fixture
def small_disk() -> Iterator[Bridge]:
    """A bridge whose data is on a disk of 64 MiB, of which 16 stay free."""
    bridge = Bridge(BRIDGE_MIN_FREE_BYTES=16 * MIB)
    mounting = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", bridge.config_dir]
    try:
        if subprocess.run(mounting, capture_output=True, check=False).returncode:
            part_missing("mounting a small disk is not permitted here")
        try:
            with bridge:
                yield bridge.wait_ready()
                assert "Traceback" not in bridge.log
                bridge.stop()
        finally:
            subprocess.run(["umount", "--lazy", bridge.config_dir], check=True)
    finally:
        bridge.close()


def leave_free(bridge: Bridge, free_bytes: int) -> None:
    filler = bridge.config_dir / "filler"
    filler.touch()
    status = os.statvfs(bridge.config_dir)
    size_bytes = filler.stat().st_size + status.f_bavail * status.f_frsize - free_bytes
    with filler.open("r+b") as file:
        file.truncate(0)
        os.posix_fallocate(file.fileno(), 0, size_bytes)


def warning_of(bridge: Bridge) -> str:
    answer = bridge.get("/readyz")
    assert answer.status_code == 200, answer.text
    assert bridge.get("/v1/health").status_code == 204
    return str(answer.json().get("warnings", {}).get("disk", ""))


def test_a_disk_that_fills_is_warned_of_then_files_are_refused_and_events_are_kept(
    small_disk: Bridge,
) -> None:
    bridge = small_disk
    assert warning_of(bridge) == ""
    leave_free(bridge, 24 * MIB)
    assert "little room is left on the disk of the data directory: 2" in warning_of(bridge)
    assert "BRIDGE_KEEP_ATTACHMENT_BYTES" in warning_of(bridge)
    assert send(bridge, ONE, 2 * MIB).status_code == 201
    leave_free(bridge, 8 * MIB)
    check_refused(send(bridge, ONE, 2 * MIB), 507, "store_full")
    file = {"base64_attachments": ["A" * MIB]}
    message = {"number": ALICE, "recipients": [BOB], "message": "m"}
    check_refused(bridge.post("/v2/send", json=message | file), 507, "store_full")
    assert list(uploads_of(bridge).iterdir()) == []
    check_works(bridge, ONE, "without a file, while the disk is nearly full")
    assert "files are refused below 16.0 MiB" in warning_of(bridge)
    (bridge.config_dir / "filler").unlink()
    assert warning_of(bridge) == ""
    assert send(bridge, ONE, 2 * MIB).status_code == 201


def test_a_disk_that_is_full_is_503_and_all_goes_on_when_there_is_room_again(
    small_disk: Bridge,
) -> None:
    bridge = small_disk
    check_works(bridge, ONE, "before")
    filler = bridge.config_dir / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass
    check_refused(send(bridge, ONE, 2 * MIB), 507, "store_full")
    # Bigger than what is left in the last page of the database's log.
    message = {"number": ALICE, "recipients": [BOB], "message": "x" * 1900}
    assert bridge.post("/v2/send", json=message).status_code == 201
    eventually(lambda: bridge.get("/readyz").status_code == 503, 30)
    assert "no room" in bridge.get("/readyz").text
    assert bridge.get("/livez").status_code == 200
    filler.unlink()
    bridge.wait_ready()
    received_text(bridge, BOB, "x" * 1900)
    assert send(bridge, ONE, 2 * MIB).status_code == 201
    assert warning_of(bridge) == ""
