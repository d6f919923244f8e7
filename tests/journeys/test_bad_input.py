"""Requests that nobody should send, clients that go away: an honest answer and no left-overs."""

from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import json
import os
import random
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.conftest import ACCOUNT
from tests.journeys import http
from tests.journeys.reading import texts_until
from tests.support import Bridge, Process, ScriptedDaemon, eventually
from tests.support.parts import part_missing
from tests.support.scripted_daemon import (
    Connection,
    Gate,
    Request,
    receive_line,
    result,
    text_envelope,
)

RECIPIENT = "+4915198765"
SENT = result({"timestamp": 1})
MIB = 2**20
MAX_BODY_BYTES, MAX_ATTACHMENT_BYTES = 400_000, 200_000
INVALID = {"error": "Couldn't process request - invalid request"}


@pytest.fixture(scope="module")
def script() -> Iterator[ScriptedDaemon]:
    with ScriptedDaemon(accounts=[ACCOUNT]) as daemon:
        yield daemon


def serving(script: ScriptedDaemon, **settings: object) -> Bridge:
    return Bridge(MODE="json-rpc", BRIDGE_SIGNAL_CLI_RPC=script.address, **settings)


@pytest.fixture(scope="module")
def small(script: ScriptedDaemon) -> Iterator[Bridge]:
    """With low limits, and a log of everything."""
    limits = {
        "BRIDGE_MAX_BODY_BYTES": MAX_BODY_BYTES,
        "BRIDGE_MAX_ATTACHMENT_BYTES": MAX_ATTACHMENT_BYTES,
    }
    with serving(script, LOG_LEVEL="debug", **limits) as bridge:
        yield bridge.wait_ready()


@pytest.fixture(scope="module")
def large(script: ScriptedDaemon) -> Iterator[Bridge]:
    """With the limits it comes with."""
    with serving(script) as bridge:
        yield bridge.wait_ready()


@pytest.fixture(autouse=True)
def daemon(script: ScriptedDaemon, request: pytest.FixtureRequest) -> Iterator[ScriptedDaemon]:
    """Every send succeeds; after each test nothing is left of any upload."""
    script.forget()
    script.on("send", SENT)
    yield script
    for name in {"small", "large"} & set(request.fixturenames):
        check_clean(request.getfixturevalue(name))


def check_clean(bridge: Bridge) -> None:
    eventually(lambda: left_over(bridge) == [], what=lambda: f"{left_over(bridge)} is left")
    assert "Traceback" not in bridge.log


def uploads_of(bridge: Bridge) -> Path:
    return bridge.config_dir / "bridge" / "uploads"


def left_over(bridge: Bridge) -> list[Path]:
    """The directories of requests: whatever is left of one is in its own."""
    return sorted(uploads_of(bridge).iterdir())


def body(message: str = "hi", **more: Any) -> dict[str, Any]:
    return {"number": ACCOUNT, "recipients": [RECIPIENT], "message": message, **more}


def post(bridge: Bridge, data: bytes | str, path: str = "/v2/send") -> requests.Response:
    return bridge.post(path, data=data, headers={"Content-Type": "application/json"})


def check_json_error(answer: requests.Response, status: int = 400) -> dict[str, Any]:
    assert answer.status_code == status, answer.text[:300]
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    problem: dict[str, Any] = answer.json()
    assert problem["error"]
    return problem


# -- bodies ------------------------------------------------------------------------------------

NOT_A_SEND = {
    "empty": b"",
    "a space": b" ",
    "cut off": b'{"number":"+491","recip',
    "a text": b'"text"',
    "a number": b"42",
    "an array": b"[]",
    "true": b"true",
    "not JSON": b"number=+491&recipients=+492",
    "a byte order mark in the middle": b'{"number":\xef\xbb\xbf"+491"}',
    "NaN": b'{"number":NaN}',
    "nothing but zeros": bytes(1000),
    "an open string": b'{"message":"' + b"x" * 100_000,
    "an open string that ends in a backslash": b'{"message":"' + b"x" * 100_000 + b"\\",
    "a bad escape": b'{"message":"\\x"}',
    "a bad escape in a long string": b'{"message":"' + b"x" * 100_000 + b'\\x"}',
    "a line feed in a string": b'{"message":"a\nb"}',
    "recipients as a text": json.dumps(body(recipients=RECIPIENT)).encode(),
    "a recipient as a number": json.dumps(body(recipients=[49])).encode(),
    "a message as a number": json.dumps(body(message=1)).encode(),
    "a flag as a text": json.dumps(body(view_once="true")).encode(),
    "a time as a text": json.dumps(body(quote_timestamp="1")).encode(),
    "a time with a fraction": json.dumps(body(quote_timestamp=1.5)).encode(),
    "a time beyond 64 bits": json.dumps(body(quote_timestamp=2**70)).encode(),
    "a time of ten thousand digits": b'{"quote_timestamp":' + b"9" * 10_000 + b"}",
    "mentions as an object": json.dumps(body(mentions={})).encode(),
    "attachments as a text": json.dumps(body(base64_attachments="QUJD")).encode(),
    "deep arrays": b"[" * 50_000 + b"]" * 50_000,
    "deep arrays in a field": b'{"recipients":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "deep objects": b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
}


@pytest.mark.parametrize("data", NOT_A_SEND.values(), ids=NOT_A_SEND)
def test_what_is_no_send_is_refused(small: Bridge, daemon: ScriptedDaemon, data: bytes) -> None:
    problem = check_json_error(post(small, data))
    assert problem["error"] == INVALID["error"]
    assert problem["retryable"] is False
    assert problem["detail"]
    assert daemon.asked("send") == []
    line = f"{problem['request_id']} POST /v2/send 400"
    logged = eventually(lambda: [each for each in small.log.splitlines() if line in each])
    assert logged[0].endswith(f" bad_request: {problem['detail']}")


def test_a_byte_order_mark_before_a_body_is_read(small: Bridge, daemon: ScriptedDaemon) -> None:
    assert post(small, b"\xef\xbb\xbf" + json.dumps(body("hi")).encode()).status_code == 201
    assert daemon.asked("send")[0].params["message"] == "hi"


@pytest.mark.parametrize("path", ["/v1/register/+491", "/v1/unregister/+491", "/v1/groups/+491"])
def test_other_routes_refuse_a_body_that_is_none(small: Bridge, path: str) -> None:
    for data in (b"{", b'"x"', b"[" * 50_000):
        problem = check_json_error(post(small, data, path))
        assert INVALID["error"] in problem["error"]
        assert problem["detail"]


def test_what_a_field_is_to_be_is_told_where_it_is_something_else(
    small: Bridge, daemon: ScriptedDaemon
) -> None:
    mention = {"start": "0", "length": 1, "author": RECIPIENT}
    for path, given, fields in (
        ("/v2/send", body(recipients=RECIPIENT), {"recipients": "an array of strings"}),
        ("/v2/send", body(mentions=[mention]), {"mentions[0].start": "an integer"}),
        ("/v1/send", body(is_group=1), {"is_group": "true or false"}),
        (f"/v1/reactions/{ACCOUNT}", {"timestamp": "1"}, {"timestamp": "an integer"}),
        (f"/v1/groups/{ACCOUNT}", {"permissions": []}, {"permissions": "an object"}),
        (f"/v1/register/{ACCOUNT}", {"captcha": 7}, {"captcha": "a string"}),
        ("/v1/events/ack", {"consumer": "x"}, {"seq": "this is needed"}),
    ):
        problem = check_json_error(small.post(path, json=given))
        assert problem["fields"].keys() == fields.keys()
        for name, wanted in fields.items():
            assert problem["fields"][name].startswith(wanted)
            assert name in problem["detail"]


def test_what_a_parameter_is_to_be_is_told_where_it_is_something_else(small: Bridge) -> None:
    for path, fields in (
        (f"/v1/receive/{ACCOUNT}?timeout=soon", {"timeout": "an integer of 32 bits belongs here"}),
        (f"/v1/groups/{ACCOUNT}?expand=1", {"expand": "true or false belongs here"}),
    ):
        assert check_json_error(small.get(path))["fields"] == fields


def test_a_body_that_is_compressed_or_of_a_strange_charset_is_415(
    small: Bridge, daemon: ScriptedDaemon
) -> None:
    packed = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    strange = {"Content-Type": "application/json; charset=klingon"}
    for path in ("/v2/send", f"/v1/register/{ACCOUNT}"):
        for headers in (packed, strange):
            answer = small.post(path, data=gzip.compress(b"{}"), headers=headers)
            assert check_json_error(answer, 415)["code"] == "unreadable_body"
    assert daemon.asked("send") + daemon.asked("register") == []


@pytest.mark.parametrize(
    "attachment",
    ["", "!", "QUJ", "QUJD QUJD", "data:image/png;base64,", "data:text/plain,hello", "QUJD\u00e4"],
)
def test_an_attachment_that_is_not_base64_is_refused(
    small: Bridge, daemon: ScriptedDaemon, attachment: str
) -> None:
    check_json_error(small.post("/v2/send", json=body(base64_attachments=[attachment])))
    assert daemon.asked("send") == []


def test_half_a_surrogate_pair_is_no_reason_to_fail(small: Bridge, daemon: ScriptedDaemon) -> None:
    data = json.dumps(body("MARK")).replace("MARK", "\\ud83d")
    assert post(small, data).status_code == 201
    assert daemon.asked("send")[0].params["message"] == "\ufffd"


# -- too large ---------------------------------------------------------------------------------


def test_a_body_beyond_the_limit_is_413_and_says_the_limit(
    small: Bridge, daemon: ScriptedDaemon
) -> None:
    answer = small.post("/v2/send", json=body("x" * MAX_BODY_BYTES))
    assert str(MAX_BODY_BYTES) in check_json_error(answer, 413)["error"]
    assert daemon.asked("send") == []


def test_a_body_that_only_promises_to_be_too_large_is_not_waited_for(small: Bridge) -> None:
    request = http.head("POST", "/v2/send", f"Content-Length: {10 * MAX_BODY_BYTES}")
    status, text = http.exchange(small, request + b'{"message":"')
    assert status == 413
    assert str(MAX_BODY_BYTES) in json.loads(text)["error"]


@pytest.mark.parametrize("part_bytes", [1000, 100_000])
def test_a_chunked_body_beyond_the_limit_is_413(small: Bridge, part_bytes: int) -> None:
    parts = [b'{"message":"', *[b"x" * part_bytes] * (MAX_BODY_BYTES // part_bytes + 2), b'"}']
    request = http.head("POST", "/v2/send", "Transfer-Encoding: chunked")
    request += b"".join(map(http.chunk, [*parts, b""]))
    status, text = http.exchange(small, request)
    assert status == 413
    assert str(MAX_BODY_BYTES) in json.loads(text)["error"]


def test_a_chunked_body_within_the_limit_is_taken(small: Bridge, daemon: ScriptedDaemon) -> None:
    data = json.dumps(body("x" * 300_000)).encode()
    request = http.head("POST", "/v2/send", "Transfer-Encoding: chunked")
    request += b"".join(http.chunk(data[at : at + 7000]) for at in range(0, len(data), 7000))
    status, _text = http.exchange(small, request + http.chunk(b""))
    assert status == 201
    assert daemon.asked("send")[0].params["message"] == "x" * 300_000


def test_an_attachment_beyond_its_limit_is_413(small: Bridge, daemon: ScriptedDaemon) -> None:
    too_large = b"x" * (MAX_ATTACHMENT_BYTES + 1)
    text = base64.b64encode(too_large).decode()
    as_json = small.post("/v2/send", json=body(base64_attachments=["QUJD", text]))
    form = {"number": ACCOUNT, "recipients[]": RECIPIENT}
    as_form = small.post("/v2/send", data=form, files={"attachment": ("a", too_large)})
    for answer in (as_json, as_form):
        assert str(MAX_ATTACHMENT_BYTES) in check_json_error(answer, 413)["error"]
    assert daemon.asked("send") == []


def test_a_form_beyond_the_limits_is_refused(small: Bridge, daemon: ScriptedDaemon) -> None:
    form = {"number": ACCOUNT, "recipients[]": RECIPIENT}
    files = [("attachment", (str(n), b"x" * 150_000)) for n in range(3)]
    check_json_error(small.post("/v2/send", data=form, files=files), 413)
    many = [("attachment", (str(n), b"x")) for n in range(1000)]
    answer = small.post("/v2/send", data=form, files=many)
    assert answer.json()["error"]
    assert answer.status_code in (400, 413)
    assert daemon.asked("send") == []


def test_a_field_of_a_form_that_is_too_long_names_its_own_limit(
    large: Bridge, daemon: ScriptedDaemon
) -> None:
    text = base64.b64encode(bytes(2 * MIB)).decode()
    form = {"number": ACCOUNT, "recipients[]": RECIPIENT, "base64_attachments": text}
    answer = large.post("/v2/send", data=form, files={"attachment": ("a", b"x")})
    error = check_json_error(answer, 413)["error"]
    assert error == f"The form's field base64_attachments is larger than the limit of {MIB} bytes"
    assert daemon.asked("send") == []


def test_a_form_without_sense_is_refused(small: Bridge, daemon: ScriptedDaemon) -> None:
    for kind in ("multipart/form-data", "multipart/form-data; boundary=x"):
        for data in (b"", b"--x", b"--x\r\n\r\nno headers\r\n--x--", b"\0" * 1000):
            answer = small.post("/v2/send", data=data, headers={"Content-Type": kind})
            assert check_json_error(answer)["detail"]
    form = {"number": ACCOUNT, "recipients[]": RECIPIENT, "quote_timestamp": "soon"}
    answer = small.post("/v2/send", data=form, files={"attachment": ("a", b"x")})
    problem = check_json_error(answer)
    assert problem["error"] == INVALID["error"]
    assert problem["fields"] == {"quote_timestamp": "an integer belongs here, not a string"}
    assert daemon.asked("send") == []


# -- names of files ----------------------------------------------------------------------------

BAD_NAMES = [
    "../../x", "..\\..\\x", "/etc/passwd", "a/b", "a/../../b", "C:\\x", ".", "..", "...", "",
    " ", "x\ny", "~", "%2e%2e%2fx", "x" * 400, "é" * 200 + ".png", "-rf", "\u202egnp.exe",
]  # fmt: skip


class Seen:
    """What signal-cli sees at the moment of the send."""

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge
        self.paths: list[Path] = []
        self.digests: list[str] = []

    def __call__(self, connection: Connection, request: Request) -> None:
        for name in request.params.get("attachment", []):
            path = Path(name)
            self.paths.append(path)
            with path.open("rb") as file:
                self.digests.append(hashlib.file_digest(file, "sha256").hexdigest())
        SENT(connection, request)

    def check_inside(self) -> None:
        """Each file in a directory of its own, in that of its request; none anywhere else."""
        for path in self.paths:
            assert path.is_absolute()
            assert ".." not in path.parts
            assert path.parent.parent.parent == uploads_of(self.bridge)
            assert len(path.name.encode()) <= 255


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_file_name_never_leads_out_of_the_uploads(
    small: Bridge, daemon: ScriptedDaemon, name: str
) -> None:
    before = {path for path in small.home.rglob("*") if "uploads" not in path.parts}
    seen = Seen(small)
    daemon.on("send", seen)
    text = f"data:x;filename={name};base64,QUJD"
    assert small.post("/v2/send", json=body(base64_attachments=[text])).status_code == 201
    form = {"number": ACCOUNT, "recipients[]": RECIPIENT}
    given = small.post("/v2/send", data=form, files={"attachment": (name or "x", b"ABC")})
    assert given.status_code == 201, given.text
    seen.check_inside()
    assert seen.digests == [hashlib.sha256(b"ABC").hexdigest()] * 2
    after = {path for path in small.home.rglob("*") if "uploads" not in path.parts}
    assert not {path for path in after - before if "bridge.db" not in path.name}


@pytest.mark.parametrize(
    "name",
    [
        "../bridge/bridge.db", "..%2fbridge%2fbridge.db", "%2e%2e/bridge/bridge.db",
        "%2e%2e%2fbridge%2fbridge.db", "%252e%252e%252fbridge%252fbridge.db", "..", ".", "%2e%2e",
        "%2fetc%2fpasswd", "/etc/passwd", "..%5cbridge%5cbridge.db", "link", "folder", "folder/x",
        "%00", "x%00.png", "a" * 300, "%ff%fe", "nothing-of-that-name", "~root", "%0d%0aX-Y:%20z",
    ],
)  # fmt: skip
def test_an_attachment_path_never_leads_out_of_the_attachments(small: Bridge, name: str) -> None:
    directory = small.config_dir / "attachments"
    (directory / "folder").mkdir(parents=True, exist_ok=True)
    (directory / "folder" / "x").write_bytes(b"SQLite format")
    with contextlib.suppress(FileExistsError):
        (directory / "link").symlink_to(small.config_dir / "bridge" / "bridge.db")
    status, text = http.exchange(small, http.head("GET", f"/v1/attachments/{name}"))
    assert status in (400, 404), text[:200]
    assert b"SQLite format" not in text
    assert b"root:" not in text
    assert (small.config_dir / "bridge" / "bridge.db").exists()


def test_an_attachment_that_is_there_is_given(small: Bridge) -> None:
    directory = small.config_dir / "attachments"
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "abc.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert small.get("/v1/attachments/abc.png").content == b"\x89PNG\r\n\x1a\n"


# -- clients that go away ----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=edge"])
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_a_body_cut_off_half_way_leaves_nothing(
    large: Bridge, daemon: ScriptedDaemon, kind: str, chunked: bool
) -> None:
    begin = b'{"base64_attachments":["'
    if kind.startswith("multipart"):
        begin = b'--edge\r\nContent-Disposition: form-data; name="attachment"; filename="a"\r\n\r\n'
    how = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {10 * MIB}"
    part = begin + b"QUJD" * MIB
    with http.connect(large) as connection:
        connection.sendall(http.head("POST", "/v2/send", how, f"Content-Type: {kind}"))
        connection.sendall(b"%x\r\n%s" % (2 * len(part), part) if chunked else part)
        eventually(lambda: left_over(large), what="an upload that has begun")
        http.vanish(connection)
    eventually(lambda: not left_over(large))
    assert daemon.asked("send") == []
    assert large.post("/v2/send", json=body()).status_code == 201


def test_a_body_shorter_than_announced_is_refused(large: Bridge, daemon: ScriptedDaemon) -> None:
    with http.connect(large) as connection:
        connection.sendall(http.head("POST", "/v2/send", "Content-Length: 1000") + b'{"number":')
        connection.shutdown(1)  # no more to come, but the answer is waited for
        status, text = http.answer(connection)
    assert status in (0, 400)
    assert not text or json.loads(text)["error"]
    assert daemon.asked("send") == []


def test_a_client_that_goes_away_during_a_send_leaves_nothing(
    large: Bridge, daemon: ScriptedDaemon
) -> None:
    gate = Gate()
    daemon.on("send", gate(SENT))
    data = json.dumps(body(base64_attachments=["QUJD"])).encode()
    with http.connect(large) as connection:
        head = http.head("POST", "/v2/send", f"Content-Length: {len(data)}")
        connection.sendall(head + data)
        gate.wait_for(1)
        assert left_over(large)
        http.vanish(connection)
    gate.open()
    eventually(lambda: not left_over(large))


def test_clients_that_go_away_at_random_moments_leave_nothing(
    large: Bridge, daemon: ScriptedDaemon
) -> None:
    moment = random.Random(1)
    text = base64.b64encode(bytes(MIB)).decode()
    data = json.dumps(body(base64_attachments=[text])).encode()
    request = http.head("POST", "/v2/send", f"Content-Length: {len(data)}") + data

    def interrupted(size: int) -> None:
        with http.connect(large) as connection, contextlib.suppress(OSError):
            connection.sendall(request[:size])
            http.vanish(connection)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(interrupted, [moment.randrange(len(request)) for _ in range(64)]))
    eventually(lambda: not left_over(large))
    assert large.post("/v2/send", json=body()).status_code == 201


def test_what_is_not_http_is_answered_and_harms_nobody(small: Bridge) -> None:
    for noise in (
        b"\0" * 100,
        b"GET\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01",
        b"GET / HTTP/9.9\r\n\r\n",
    ):
        with http.connect(small) as connection:
            connection.sendall(noise)
            connection.shutdown(1)
            http.answer(connection)
    status, _text = http.exchange(small, http.head("GET", "/v1/receive/%zz"))
    assert status in (400, 404)
    assert small.get("/livez").status_code == 200


@pytest.mark.parametrize(
    ("head", "status", "words"),
    [
        (http.head("GET", "/" + "x" * 9000), 414, "longer than 8190 bytes"),
        (http.head("GET", "/", "X: " + "x" * 9000), 431, "more than 8190 bytes"),
        (http.head("GET", "/", *(f"X{n}: y" for n in range(150))), 431, "100 header fields"),
        (b"GET / HTTP/9.9\r\n\r\n", 400, "no HTTP/1.1"),
        (http.head("GET", "/", "no colon"), 400, "no HTTP/1.1"),
    ],
)
def test_a_head_that_cannot_be_read_is_told_why(
    small: Bridge, head: bytes, status: int, words: str
) -> None:
    found, text = http.exchange(small, head)
    problem = json.loads(text)
    assert (found, problem["retryable"]) == (status, False)
    assert words in problem["error"]
    line = f"{problem['request_id']} {problem['code']}"
    eventually(lambda: line in small.log, what="its line of the log")


# -- large attachments and little memory -------------------------------------------------------

LARGE_BYTES = 45 * MIB  # 60 MiB of base64


@pytest.fixture(scope="module")
def large_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("large") / "large.bin"
    path.write_bytes(os.urandom(3 * MIB) * 15)
    return path


def worker_of(bridge: Bridge) -> Process:
    master = bridge.child("gunicorn")
    return next(child for child in bridge.children() if child.parent_pid == master.pid)


def peak_kib(process: Process) -> int:
    """The most memory it ever had."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s*(\d+) kB", status)
    assert found
    return int(found[1])


def as_json(path: Path) -> Iterator[bytes]:
    """The request, piece by piece, so that the test needs no memory either."""
    begin = json.dumps(body(base64_attachments=["MARK"]))
    before, _, after = begin.partition("MARK")
    yield before.encode()
    yield b"data:application/octet-stream;filename=large.bin;base64,"
    with path.open("rb") as file:
        while part := file.read(3 * MIB):
            yield base64.b64encode(part)
    yield after.encode()


def as_form(path: Path) -> Iterator[bytes]:
    for name, value in (("number", ACCOUNT), ("recipients[]", RECIPIENT)):
        yield (
            f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        ).encode()
    yield (
        b'--edge\r\nContent-Disposition: form-data; name="attachment"; filename="large.bin"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n"
    )
    with path.open("rb") as file:
        while part := file.read(MIB):
            yield part
    yield b"\r\n--edge--\r\n"


@pytest.mark.parametrize(
    ("pieces", "kind"),
    [(as_json, "application/json"), (as_form, "multipart/form-data; boundary=edge")],
    ids=["json", "form"],
)
def test_a_large_attachment_arrives_byte_for_byte_in_little_memory(
    large: Bridge,
    daemon: ScriptedDaemon,
    large_file: Path,
    pieces: Callable[[Path], Iterator[bytes]],
    kind: str,
) -> None:
    seen = Seen(large)
    daemon.on("send", seen)
    assert large.post("/v2/send", json=body(base64_attachments=["QUJD"])).status_code == 201
    worker = worker_of(large)
    before_kib = peak_kib(worker)
    answer = large.post(
        "/v2/send", data=pieces(large_file), headers={"Content-Type": kind}, timeout=60
    )
    assert answer.status_code == 201, answer.text
    assert worker_of(large) == worker
    assert peak_kib(worker) - before_kib < 32 * 1024
    with large_file.open("rb") as file:
        assert seen.digests[-1] == hashlib.file_digest(file, "sha256").hexdigest()
    assert seen.paths[-1].name == "large.bin"


# -- a full disk -------------------------------------------------------------------------------


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 3 MiB."""
    command = ["mount", "-t", "tmpfs", "-o", "size=3m,mode=0777", "tmpfs", str(tmp_path)]
    try:
        mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        part_missing("there is no mount")
    if mounted.returncode != 0:
        part_missing(f"mounting is not permitted: {mounted.stderr.strip()}")
    try:
        yield tmp_path
    finally:
        subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


def test_a_disk_too_full_for_an_upload_is_507_and_nothing_is_left(
    tiny_disk: Path, script: ScriptedDaemon, large_file: Path
) -> None:
    with serving(script, BRIDGE_RUNTIME_DIR=tiny_disk) as bridge:
        bridge.wait_ready()
        for pieces, kind in (
            (as_json, "application/json"),
            (as_form, "multipart/form-data; boundary=edge"),
        ):
            answer = bridge.post(
                "/v2/send", data=pieces(large_file), headers={"Content-Type": kind}
            )
            problem = check_json_error(answer, 507)
            assert problem["retryable"] is True
            eventually(lambda: not list((tiny_disk / "uploads").iterdir()), what="no left-over")
        small = bridge.post("/v2/send", json=body(base64_attachments=["QUJD"]))
        assert small.status_code == 201
        assert "Traceback" not in bridge.log
        bridge.stop()


def test_receiving_waits_for_a_full_disk_and_goes_on(
    tiny_disk: Path, script: ScriptedDaemon
) -> None:
    url = f"sqlite:///{tiny_disk}/bridge.db"
    # The pusher is held up as signal-cli would be, so it has a thread of its own.
    texts = [f"{number} " + "x" * 2000 for number in range(1500)]
    lines = [
        receive_line(ACCOUNT, text_envelope(RECIPIENT, text, number + 1))
        for number, text in enumerate(texts)
    ]
    with serving(script, BRIDGE_DATABASE_URL=url) as bridge:
        bridge.wait_ready()
        connection = script.asked("subscribeReceive")[-1].connection
        filler = tiny_disk / "filler"
        filler.write_bytes(bytes(1_500_000))
        pushing = threading.Thread(target=connection.write, args=(b"".join(lines),), daemon=True)
        pushing.start()

        def says_why() -> bool:
            answer = bridge.get("/readyz")
            return answer.status_code == 503 and "disk" in answer.json()["error"]

        eventually(says_why, 20, "a reason that names the disk")
        assert bridge.get("/livez").status_code == 200
        filler.unlink()
        subprocess.run(["mount", "-o", "remount,size=40m", str(tiny_disk)], check=True)
        assert texts_until(bridge, ACCOUNT, len(texts)) == texts
        bridge.wait_ready()
        pushing.join()
