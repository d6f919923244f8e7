"""Groups: what is done better than by the recorded peer, and pictures on their way."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from tests.routes.conftest import ACCOUNT
from tests.support import Bridge, ScriptedDaemon
from tests.support.scripted_daemon import Connection, Request, error, result

INTERNAL_ID = "Pmpi+EfPWmsxiomLe9Nx2XF9HOE483p6iKiFj65iMwI="
GROUP_ID = "group." + base64.b64encode(INTERNAL_ID.encode()).decode()
GROUP = f"/v1/groups/{ACCOUNT}/{GROUP_ID}"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
LISTED = [{"id": INTERNAL_ID, "name": "n", "members": [], "isMember": True}]


def params(daemon: ScriptedDaemon, method: str) -> dict[str, Any]:
    (request,) = daemon.asked(method)
    found: dict[str, Any] = request.params
    return found


def test_a_new_picture_is_there_during_the_call_and_gone_afterwards(
    served: Bridge, daemon: ScriptedDaemon
) -> None:
    seen: list[bytes] = []

    def look(connection: Connection, request: Request) -> None:
        seen.append(Path(request.params["avatar"]).read_bytes())
        connection.reply(request, {"result": {}})

    daemon.on("updateGroup", look)
    answer = served.put(GROUP, json={"base64_avatar": base64.b64encode(PNG).decode()})
    assert (answer.status_code, answer.content, seen) == (204, b"", [PNG])
    path = Path(params(daemon, "updateGroup")["avatar"])
    assert path.suffix == ".png"
    assert not path.parent.exists()


def test_a_picture_that_was_refused_is_gone_as_well(served: Bridge, daemon: ScriptedDaemon) -> None:
    daemon.on("updateGroup", error(-1, "boom"))
    answer = served.put(GROUP, json={"base64_avatar": base64.b64encode(PNG).decode()})
    assert (answer.status_code, answer.json()["error"]) == (400, "boom")
    assert not Path(params(daemon, "updateGroup")["avatar"]).parent.exists()
    assert list((served.config_dir / "bridge" / "uploads").iterdir()) == []


def test_a_bad_link_is_told_before_a_bad_picture(served: Bridge, daemon: ScriptedDaemon) -> None:
    answer = served.put(GROUP, json={"base64_avatar": "###", "group_link": "x"})
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("Invalid group link provided")


@pytest.mark.parametrize("spelled", [GROUP_ID, INTERNAL_ID.replace("+", "%2B")])
def test_members_are_added_to_a_group_however_it_is_spelled(
    spelled: str, served: Bridge, daemon: ScriptedDaemon
) -> None:
    daemon.on("listGroups", result(LISTED))
    people = ["+491", "foo.01", "u:bar.02", "PNI:11111111-1111-1111-1111-111111111111"]
    answer = served.post(f"/v1/groups/{ACCOUNT}/{spelled}/members", json={"members": people})
    assert answer.status_code == 204
    assert params(daemon, "updateGroup") == {
        "member": ["+491", "u:foo.01", "u:bar.02", people[3]],
        "groupId": INTERNAL_ID,
        "account": ACCOUNT,
    }


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("DELETE", "members", {}), ("POST", "admins", {}), ("DELETE", "admins", {"admins": None})],
)
def test_for_nobody_nothing_is_called(
    method: str, path: str, body: dict[str, Any], served: Bridge, daemon: ScriptedDaemon
) -> None:
    assert served.request(method, f"{GROUP}/{path}", json=body).status_code == 204
    assert not daemon.asked("listGroups")


def test_members_without_a_group_are_refused(served: Bridge, daemon: ScriptedDaemon) -> None:
    answer = served.post(f"/v1/groups/{ACCOUNT}//members", json={"members": ["+491"]})
    assert answer.status_code == 400
    assert answer.json()["error"] == "Couldn't process request - group id missing"


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"\x00\x01", "application/octet-stream"),
    ],
)
def test_a_picture_comes_back_byte_for_byte(
    data: bytes, content_type: str, served: Bridge, daemon: ScriptedDaemon
) -> None:
    daemon.on("getAvatar", result({"data": base64.b64encode(data).decode()}))
    answer = served.get(f"{GROUP}/avatar")
    assert (answer.status_code, answer.content) == (200, data)
    assert answer.headers["Content-Type"] == content_type
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_message_is_pinned_for_a_while(served: Bridge, daemon: ScriptedDaemon) -> None:
    body = {"target_author": "foo.01", "timestamp": 5, "duration": 60}
    assert served.post(f"{GROUP}/pin-message", json=body).status_code == 201
    assert params(daemon, "sendPinMessage") == {
        "target-author": "u:foo.01",
        "target-timestamp": 5,
        "pin-duration": 60,
        "group-id": INTERNAL_ID,
        "account": ACCOUNT,
    }


def test_unpinning_needs_a_timestamp(served: Bridge, daemon: ScriptedDaemon) -> None:
    answer = served.delete(f"{GROUP}/pin-message", json={"target_author": "+491"})
    assert answer.json()["error"] == "Couldn't process request - timestamp missing"
    assert not daemon.asked("sendUnpinMessage")


def test_the_account_is_called_something_in_a_group(served: Bridge, daemon: ScriptedDaemon) -> None:
    daemon.on("updateGroup", result({"timestamp": 7, "results": []}))
    body = {"label": "Boss", "label_emoji": ""}
    answer = served.put(f"{GROUP}/member-label", json=body)
    assert (answer.status_code, answer.content) == (204, b"")
    assert params(daemon, "updateGroup") == {
        "groupId": INTERNAL_ID,
        "memberLabel": "Boss",
        "memberLabelEmoji": "",
        "account": ACCOUNT,
    }
    assert not daemon.asked("listGroups")


@pytest.mark.parametrize(("member", "status"), [({"isAdmin": True}, 204), ({}, 501)])
def test_a_label_that_was_not_taken_is_a_501_where_there_are_none(
    member: dict[str, Any], status: int, served: Bridge, daemon: ScriptedDaemon
) -> None:
    daemon.on("updateGroup", result({}))
    daemon.on("listGroups", result([{"id": INTERNAL_ID, "members": [{"number": "+1", **member}]}]))
    answer = served.put(f"{GROUP}/member-label", json={"label": "Boss"})
    assert answer.status_code == status
    if status == 501:
        assert answer.json()["code"] == "not_supported"
        assert answer.json()["error"] == (
            "signal-cli 0.13.19 does not have labels of members; "
            "that needs signal-cli 0.14.1 or newer"
        )


def test_a_label_has_to_be_said(served: Bridge, daemon: ScriptedDaemon) -> None:
    answer = served.put(f"{GROUP}/member-label", json={"label": None})
    assert answer.json()["error"] == "Couldn't process request - label or label_emoji missing"
    assert not daemon.asked("updateGroup")


def test_members_are_shown_with_their_labels(served: Bridge, daemon: ScriptedDaemon) -> None:
    member = {"number": "+491", "uuid": "u1", "isAdmin": True, "label": "Boss", "labelEmoji": "👑"}
    daemon.on("listGroups", result([{"id": INTERNAL_ID, "members": [member]}]))
    assert served.get(f"{GROUP}?expand=true").json()["members"] == [
        {"number": "+491", "uuid": "u1", "is_admin": True, "label": "Boss", "label_emoji": "👑"}
    ]
    assert served.get(GROUP).json()["members"] == ["+491"]
