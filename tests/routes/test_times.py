"""A time in seconds is told that milliseconds are wanted, wherever a request names a message."""

from __future__ import annotations

import json
from typing import Any

import pytest

from signal_bridge.web.surface import SURFACE
from tests.routes.conftest import ACCOUNT
from tests.support import Bridge, ScriptedDaemon
from tests.support.scripted_daemon import error

SECONDS = 1764000000
GROUP_ID = "group.UG1waStFZlBXbXN4aW9tTGU5TngyWEY5SE9FNDgzcDZpS2lGajY1aU13ST0="
GROUP = f"/v1/groups/{ACCOUNT}/{GROUP_ID}"
ABOUT = {"recipient": "+491", "target_author": "+491", "timestamp": SECONDS}
MESSAGE = {"number": ACCOUNT, "recipients": ["+491"], "message": "x"}
POLL = {"recipient": "+491", "poll_timestamp": str(SECONDS)}
REQUESTS: list[tuple[str, str, dict[str, Any], str]] = [
    ("POST", f"/v1/reactions/{ACCOUNT}", ABOUT | {"reaction": "x"}, "timestamp"),
    ("DELETE", f"/v1/reactions/{ACCOUNT}", ABOUT, "timestamp"),
    ("POST", f"/v1/receipts/{ACCOUNT}", ABOUT | {"receipt_type": "read"}, "timestamp"),
    ("DELETE", f"/v1/remote-delete/{ACCOUNT}", ABOUT, "timestamp"),
    ("POST", f"{GROUP}/pin-message", ABOUT, "timestamp"),
    ("DELETE", f"{GROUP}/pin-message", ABOUT, "timestamp"),
    ("DELETE", f"{GROUP}/messages", ABOUT, "timestamp"),
    ("POST", f"/v1/pin-message/{ACCOUNT}", ABOUT, "timestamp"),
    ("DELETE", f"/v1/pin-message/{ACCOUNT}", ABOUT, "timestamp"),
    ("DELETE", f"/v1/polls/{ACCOUNT}", POLL, "poll_timestamp"),
    ("POST", f"/v1/polls/{ACCOUNT}/vote",
     POLL | {"poll_author": "+491", "selected_answers": [1]}, "poll_timestamp"),
    *(("POST", "/v2/send", MESSAGE | {name: SECONDS}, name)
      for name in ("edit_timestamp", "quote_timestamp", "story_timestamp")),
    ("POST", "/v2/send", MESSAGE | {"message": "", "reaction": {
        "emoji": "x", "target_author": "+491", "timestamp": SECONDS}}, "timestamp"),
]  # fmt: skip


def wanted(name: str) -> str:
    return (
        f"Couldn't process request - {name} must be in milliseconds since 1970 (13 digits); "
        f"{SECONDS} looks like seconds"
    )


@pytest.mark.parametrize(("method", "path", "body", "name"), REQUESTS)
def test_seconds_are_told_that_milliseconds_are_wanted(
    method: str, path: str, body: dict[str, Any], name: str, served: Bridge, daemon: ScriptedDaemon
) -> None:
    answer = served.request(method, path, json=body)
    assert (answer.status_code, answer.json()["error"]) == (400, wanted(name))
    assert not [one for one in daemon.requests if not one.connection.subscribed]


@pytest.mark.parametrize("name", ["edit_timestamp", "quote_timestamp", "story_timestamp"])
def test_a_form_is_told_the_same(name: str, served: Bridge, daemon: ScriptedDaemon) -> None:
    fields = {"number": ACCOUNT, "recipients": "+491", "message": "x", name: str(SECONDS)}
    answer = served.post("/v2/send", files={key: (None, text) for key, text in fields.items()})
    assert (answer.status_code, answer.json()["error"]) == (400, wanted(name))
    assert not daemon.asked("send")


def test_what_signal_cli_says_of_a_small_number_is_put_into_words(
    served: Bridge, daemon: ScriptedDaemon
) -> None:
    daemon.on("sendReaction", error(-32603, (
        "class java.lang.Integer cannot be cast to class java.lang.Long (java.lang.Integer and "
        "java.lang.Long are in module java.base of loader 'bootstrap') (ClassCastException)"
    )))  # fmt: skip
    body = ABOUT | {"reaction": "x", "timestamp": 5}
    answer = served.post(f"/v1/reactions/{ACCOUNT}", json=body)
    assert answer.status_code == 400
    assert "milliseconds" in answer.json()["error"]
    assert "java" not in answer.text


def test_every_body_that_names_a_time_is_among_these() -> None:
    named = {json.dumps([method, path]) for method, path, _, _ in REQUESTS}
    missing = [
        f"{route.method} {route.path}"
        for route in SURFACE
        if route.operation is not None and route.operation.body is not None
        if any(field.endswith("timestamp") for field in route.operation.body.schema.fields)
        if not any(_fits(route.method, route.path, json.loads(one)) for one in named)
    ]
    assert missing == []


def _fits(method: str, path: str, named: list[str]) -> bool:
    ours = [part for part in path.split("/") if "<" not in part]
    return method == named[0] and ours == [
        part for part in named[1].split("/") if part not in (ACCOUNT, GROUP_ID)
    ]
