"""The recorded peer: requests, its answers, and the JSON-RPC lines it wrote for them.

`rest-vectors.jsonl` holds one exchange a line, recorded from signal-cli-rest-api 0.101 in
json-rpc mode against a scripted daemon. In the recording UUID4 stands for a random UUID, and
ATTACHMENT_TMP_DIR and AVATAR_TMP_DIR for the directories of uploads.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RECORDING = Path(__file__).with_name("rest-vectors.jsonl")
SHORT_NAMES = {
    "group.UG1waStFZlBXbXN4aW9tTGU5TngyWEY5SE9FNDgzcDZpS2lGajY1aU13ST0%3D": "GROUP%3D",
    "group.UG1waStFZlBXbXN4aW9tTGU5TngyWEY5SE9FNDgzcDZpS2lGajY1aU13ST0=": "GROUP",
    "UG1waStFZlBXbXN4aW9tTGU5TngyWEY5SE9FNDgzcDZpS2lGajY1aU13ST0=": "UNPREFIXED",
    "11111111-1111-1111-1111-111111111111": "UUID",
    "+4915112345": "NUMBER",
}
NAME_CHARACTERS = 200


@dataclass(frozen=True)
class Call:
    """One JSON-RPC request to signal-cli, and what the daemon answered in the recording."""

    method: str
    params: Any
    reply: dict[str, Any] = field(compare=False)


@dataclass(frozen=True)
class Vector:
    """One exchange. Where an answer was binary, `length` and `head` are all that is kept."""

    name: str
    method: str
    path: str
    headers: dict[str, str]
    body: bytes | None
    status: int
    content_type: str | None
    location: str | None
    text: str | None
    length: int | None
    head: bytes
    calls: tuple[Call, ...]

    @property
    def route(self) -> str:
        """The path without its query."""
        return self.path.partition("?")[0]


def read_vectors() -> list[Vector]:
    """Every exchange, in the order of the recording, under names that are unique."""
    names: Counter[str] = Counter()
    vectors = []
    # Not splitlines: a recorded text may hold U+2028.
    for line in RECORDING.read_text().rstrip("\n").split("\n"):
        recorded = json.loads(line)
        name = _name_of(recorded)
        names[name] += 1
        vectors.append(_vector(recorded, name if names[name] == 1 else f"{name} #{names[name]}"))
    return vectors


def _vector(recorded: dict[str, Any], name: str) -> Vector:
    request = recorded["request"]
    return Vector(
        name=name,
        method=request["method"],
        path=request["path"],
        headers=request.get("headers", {}),
        body=_body_of(request),
        status=recorded["status"],
        content_type=recorded["content_type"],
        location=recorded.get("location"),
        text=recorded.get("response"),
        length=recorded.get("response_len"),
        head=base64.b64decode(recorded.get("response_base64_head", "")),
        calls=tuple(
            Call(call["method"], call.get("params", {}), call["reply"]) for call in recorded["rpc"]
        ),
    )


def _body_of(request: dict[str, Any]) -> bytes | None:
    """Most bodies are text; the one that is not UTF-8 is in base64."""
    body = request.get("body")
    if isinstance(body, dict):
        return base64.b64decode(body["base64"])
    return None if body is None else str(body).encode()


def _name_of(recorded: dict[str, Any]) -> str:
    request = recorded["request"]
    detail = recorded.get("note") or request.get("body") or ""
    name = f"{request['method']} {request['path']} {detail if isinstance(detail, str) else ''}"
    for long, short in SHORT_NAMES.items():
        name = name.replace(long, short)
    return name.strip()[:NAME_CHARACTERS]
