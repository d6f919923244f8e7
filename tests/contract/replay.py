"""Replaying one recorded exchange against the bridge, and saying how the bridge differed."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.contract.vectors import Call, Vector
from tests.support import Bridge, ScriptedDaemon, eventually, scripted_daemon
from tests.support.described import check_answer, is_json
from tests.support.scripted_daemon import Connection, Request, reply

ANSWER_SECONDS = 30.0
LATE_CALL_SECONDS = 5.0
PNG = b"\x89PNG\r\n\x1a\n"

# The bridge adds these to every error (rest-surface.rst 1.5, docs/errors.rst).
OUR_ERROR_KEYS = {"code", "retryable", "request_id"}
OUR_OPTIONAL_ERROR_KEYS = {"outcome", "captcha_url", "detail", "fields"}
# The peer's error texts that come from its language: only the status counts (rest-surface.rst 6).
GO_TEXT = re.compile(r"json: cannot unmarshal|open /")
UUID4 = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
RECORDED_UPLOAD = re.compile(r"(?:ATTACHMENT_TMP_DIR/UUID4|AVATAR_TMP_DIR)/(.*)", re.DOTALL)


@dataclass(frozen=True)
class Answer:
    """What the bridge answered."""

    status: int
    content_type: str | None
    location: str | None
    body: bytes


@dataclass(frozen=True)
class Seen:
    """What the bridge answered, and what it asked signal-cli for."""

    answer: Answer
    calls: list[Call]


def replay(vector: Vector, bridge: Bridge, daemon: ScriptedDaemon) -> Seen:
    """Send the request exactly as recorded; the daemon gives the recorded replies."""
    lay_out_attachments(bridge.config_dir / "attachments", vector)
    set_log_level(bridge, vector)
    daemon.forget()
    for method in {call.method for call in vector.calls}:
        replies = [reply(call.reply) for call in vector.calls if call.method == method]
        daemon.on(method, *(_on_call_connections(daemon, each) for each in replies))
    answer = _send(vector, bridge.port)
    if not _answer_differences(vector, answer):
        _wait_for_late_calls(vector, daemon)
    uploads = bridge.config_dir / "bridge" / "uploads"
    return Seen(answer, [_call(request, uploads) for request in _calls(daemon)])


def differences(vector: Vector, seen: Seen) -> list[str]:
    """A sentence for each thing that is not as in `vector`; none if all is."""
    problems = _answer_differences(vector, seen.answer)
    if _sorted(seen.calls) != _sorted(expected := [_as_compared(call) for call in vector.calls]):
        problems.append(f"calls {seen.calls}, not {expected}")
    return problems


def lay_out_attachments(directory: Path, vector: Vector) -> None:
    """The files that the recording assumes (rest-surface.rst 5.11), as new for each exchange."""
    if not vector.path.startswith("/v1/attachments"):
        return
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    if vector.text == "[]":
        return
    outside = directory.parent / "outside"
    outside.mkdir(exist_ok=True)
    (outside / "secret").write_text("secret")
    (directory / "sub").mkdir()
    for name, content in {
        "a.png": PNG, "b": b"\x00\x01", "empty": b"", "j.json": b"{}", "sub/c.txt": b"text",
    }.items():  # fmt: skip
        (directory / name).write_bytes(content)
    (directory / "link").symlink_to(outside)
    (directory / "linkf").symlink_to(outside / "secret")


def set_log_level(bridge: Bridge, vector: Vector) -> None:
    """What an answer says of the log level was set by an earlier exchange of the recording."""
    if (vector.method, vector.path) == ("GET", "/v1/configuration"):
        level = json.loads(vector.text or "")["logging"]["Level"] or "error"
        done = bridge.post("/v1/configuration", json={"logging": {"Level": level}})
        assert done.status_code == 204, done.text


# -- the request -------------------------------------------------------------------------------


def _send(vector: Vector, port: int) -> Answer:
    """Byte for byte: no header that the recording has not, no path made tidy."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
    with contextlib.closing(connection):
        connection.putrequest(vector.method, vector.path, skip_accept_encoding=True)
        for name, value in vector.headers.items():
            connection.putheader(name, value)
        if vector.body is not None:
            connection.putheader("Content-Length", str(len(vector.body)))
        connection.endheaders(vector.body)
        response = connection.getresponse()
        answer = Answer(
            status=response.status,
            content_type=response.getheader("Content-Type"),
            location=response.getheader("Location"),
            body=response.read(),
        )
    if is_json(answer.content_type):
        check_answer(vector.method, urlsplit(vector.path).path, answer.status, answer.body)
    return answer


# -- the calls ---------------------------------------------------------------------------------


def _on_call_connections(
    daemon: ScriptedDaemon, answer: scripted_daemon.Answer
) -> scripted_daemon.Answer:
    """The connection that receives has its own business; the recording is not about it."""

    def give(connection: Connection, request: Request) -> None:
        (daemon.usual(request) if connection.subscribed else answer)(connection, request)

    return give


def _calls(daemon: ScriptedDaemon) -> list[Request]:
    """What the request caused: not the bridge's own housekeeping."""
    return [
        request
        for request in daemon.requests
        if not request.connection.subscribed
        and request.method not in ("version", "subscribeReceive")
    ]


def _wait_for_late_calls(vector: Vector, daemon: ScriptedDaemon) -> None:
    """Some calls are made after the answer (finishLink); the comparison says if they are not."""
    with contextlib.suppress(AssertionError):
        eventually(lambda: len(_calls(daemon)) >= len(vector.calls), LATE_CALL_SECONDS)


def _call(request: Request, uploads: Path) -> Call:
    def name_upload(text: str) -> str:
        path = Path(text)
        return f"UPLOAD/{UUID4.sub('UUID4', path.name)}" if uploads in path.parents else text

    return Call(request.method, _each_text(request.params or {}, name_upload), {})


def _as_compared(call: Call) -> Call:
    def name_upload(text: str) -> str:
        return RECORDED_UPLOAD.sub(r"UPLOAD/\1", text)

    return Call(call.method, _each_text(call.params, name_upload), {})


def _each_text(value: Any, change: Any) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_each_text(item, change) for item in value]
    if isinstance(value, dict):
        return {key: _each_text(item, change) for key, item in value.items()}
    return value


def _sorted(calls: list[Call]) -> list[str]:
    """As JSON text, so that true is not 1, and in any order."""
    return sorted(json.dumps([call.method, call.params], sort_keys=True) for call in calls)


# -- the answer --------------------------------------------------------------------------------


def _answer_differences(vector: Vector, answer: Answer) -> list[str]:
    problems = []
    if answer.status != vector.status:
        problems.append(f"status {answer.status}, not {vector.status}; body {answer.body[:500]!r}")
    if (ours := _media_type(answer.content_type)) != (theirs := _expected_media_type(vector)):
        problems.append(f"content type {ours}, not {theirs}")
    if answer.location != vector.location:
        problems.append(f"location {answer.location}, not {vector.location}")
    return problems + _body_differences(vector, answer.body)


def _media_type(content_type: str | None) -> str | None:
    return content_type.partition(";")[0].strip() if content_type else None


def _expected_media_type(vector: Vector) -> str | None:
    """What is JSON says so, also where the peer calls it text/plain (rest-surface.rst 11.19)."""
    if _json(vector.text or "") is not None:
        return "application/json"
    return _media_type(vector.content_type)


def _body_differences(vector: Vector, body: bytes) -> list[str]:
    if vector.location:
        return []  # the page that goes with a redirect is nobody's concern
    if vector.text is None:
        return _binary_differences(vector, body)
    expected, actual = _json(vector.text), _json(body.decode(errors="replace"))
    if expected is None:
        return [] if body.decode(errors="replace") == vector.text else [f"body {body[:500]!r}"]
    if vector.status >= 400:
        return _error_differences(expected, actual)
    if vector.route == "/v1/about":
        return _subset_differences(expected, actual)
    if json.dumps(actual, sort_keys=True) != json.dumps(expected, sort_keys=True):
        return [f"body {actual}, not {expected}"]
    return []


def _binary_differences(vector: Vector, body: bytes) -> list[str]:
    """A QR code may be packed differently, so its size in bytes is its encoder's affair."""
    problems = []
    if vector.length not in (None, len(body)) and not vector.route.startswith("/v1/qrcodelink"):
        problems.append(f"{len(body)} bytes, not {vector.length}")
    if not body.startswith(vector.head):
        problems.append(f"it begins with {body[:24]!r}, not with {vector.head!r}")
    return problems


def _error_differences(expected: dict[str, Any], actual: Any) -> list[str]:
    if not isinstance(actual, dict):
        return [f"error {actual}, not {expected}"]
    problems = []
    for key, value in expected.items():
        any_text = key == "error" and GO_TEXT.search(value) and actual.get("error")
        if not any_text and actual.get(key) != value:
            problems.append(f"{key} is {actual.get(key)!r}, not {value!r}")
    added = actual.keys() - expected.keys()
    if OUR_ERROR_KEYS - added or added - OUR_ERROR_KEYS - OUR_OPTIONAL_ERROR_KEYS:
        problems.append(f"the error has {sorted(actual)}")
    return problems


def _subset_differences(expected: dict[str, Any], actual: Any) -> list[str]:
    """`/v1/about` says more than the peer's, and never anything else."""
    if not isinstance(actual, dict):
        return [f"body {actual}, not {expected}"]
    return [
        f"{key} is {actual.get(key)!r}, not {value!r}"
        for key, value in expected.items()
        if actual.get(key) != value
    ]


def _json(text: str) -> Any:
    """The value, or None if it is no JSON; the JSON null is the text itself."""
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return text if value is None else value
