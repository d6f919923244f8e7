"""Making a group: one that can be written to comes out, or none, and the caller is told which."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from tests.routes.conftest import ACCOUNT
from tests.support import Bridge, ScriptedDaemon
from tests.support.scripted_daemon import Answer, Connection, Request, drop, error, result

INTERNAL_ID = "Pmpi+EfPWmsxiomLe9Nx2XF9HOE483p6iKiFj65iMwI="
GROUP_ID = "group." + base64.b64encode(INTERNAL_ID.encode()).decode()
LEGACY_ID = "E+4TpHMp2YYTVkErlYCTJw=="
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
GROUPS = f"/v1/groups/{ACCOUNT}"
BODY = {"name": "n", "members": ["+491"], "group_link": "enabled"}


def made(group_id: str) -> Answer:
    return result({"groupId": group_id, "timestamp": 5, "results": []})


def sent(daemon: ScriptedDaemon, *methods: str) -> list[tuple[str, dict[str, Any]]]:
    return [
        (one.method, {key: value for key, value in one.params.items() if key != "account"})
        for one in daemon.requests if one.method in methods
    ]  # fmt: skip


def test_one_call_makes_a_group(served: Bridge, daemon: ScriptedDaemon) -> None:
    daemon.on("updateGroup", made(INTERNAL_ID))
    answer = served.post(GROUPS, json=BODY)
    assert (answer.status_code, answer.json()) == (201, {"id": GROUP_ID})
    assert len(daemon.asked("updateGroup")) == 1


def test_a_new_group_gets_its_picture(served: Bridge, daemon: ScriptedDaemon) -> None:
    seen: list[bytes] = []

    def look(connection: Connection, request: Request) -> None:
        seen.append(Path(request.params["avatar"]).read_bytes())
        connection.reply(request, {"result": {"groupId": INTERNAL_ID}})

    daemon.on("updateGroup", look)
    body = BODY | {"base64_avatar": base64.b64encode(PNG).decode()}
    assert served.post(GROUPS, json=body).status_code == 201
    assert seen == [PNG]


def test_a_picture_that_is_none_makes_no_group(served: Bridge, daemon: ScriptedDaemon) -> None:
    answer = served.post(GROUPS, json=BODY | {"base64_avatar": "###"})
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("Couldn't decode base64 encoded avatar")
    assert not daemon.asked("updateGroup")


def test_a_group_of_the_old_kind_is_taken_back_and_made_step_by_step(
    served: Bridge, daemon: ScriptedDaemon
) -> None:
    daemon.on("updateGroup", made(LEGACY_ID), made(INTERNAL_ID), result({"timestamp": 6}))
    answer = served.post(GROUPS, json=BODY)
    assert (answer.status_code, answer.json()) == (201, {"id": GROUP_ID})
    assert sent(daemon, "updateGroup", "quitGroup", "updateProfile") == [
        ("updateGroup", {"name": "n", "members": ["+491"], "link": "enabled"}),
        ("quitGroup", {"groupId": LEGACY_ID, "delete": True}),
        ("updateProfile", {}),
        ("updateGroup", {"name": "n", "link": "enabled"}),
        ("updateGroup", {"member": ["+491"], "groupId": INTERNAL_ID}),
    ]


def test_no_group_that_can_be_written_to_is_no_success(
    served: Bridge, daemon: ScriptedDaemon
) -> None:
    daemon.on("updateGroup", made(LEGACY_ID))
    daemon.on("updateProfile", error(-3, "boom"))
    answer = served.post(GROUPS, json=BODY)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("The group was not made.")
    assert "PUT /v1/profiles/{number}" in answer.json()["error"]
    assert len(daemon.asked("quitGroup")) == 2


def test_a_group_of_the_old_kind_that_stays_is_named(
    served: Bridge, daemon: ScriptedDaemon
) -> None:
    daemon.on("updateGroup", made(LEGACY_ID))
    daemon.on("quitGroup", error(-1, "boom"))
    answer = served.post(GROUPS, json=BODY)
    assert answer.status_code == 400
    assert LEGACY_ID in answer.json()["error"]
    assert len(daemon.asked("quitGroup")) == 2
    assert len(daemon.asked("updateGroup")) == 1


def test_to_take_back_what_was_not_answered_is_not_repeated(
    served: Bridge, daemon: ScriptedDaemon
) -> None:
    daemon.on("updateGroup", made(LEGACY_ID))
    daemon.on("quitGroup", drop)
    answer = served.post(GROUPS, json=BODY)
    assert answer.status_code == 400
    assert LEGACY_ID in answer.json()["error"]
    assert len(daemon.asked("quitGroup")) == 1
    assert len(daemon.asked("updateGroup")) == 1


@pytest.mark.parametrize("before", [[], [made(LEGACY_ID)]])
def test_a_group_that_may_have_been_made_is_not_to_be_made_again(
    before: list[Answer], served: Bridge, daemon: ScriptedDaemon
) -> None:
    lost = error(-3, "Failed to create group: Connection closed! (PushNetworkException)")
    daemon.on("updateGroup", *before, lost)
    told = served.post(GROUPS, json=BODY).json()
    assert "may have been made" in told["error"]
    assert (told["code"], told["retryable"]) == ("signal_unreachable", False)


def test_members_that_cannot_be_added_leave_no_group_behind(
    served: Bridge, daemon: ScriptedDaemon
) -> None:
    daemon.on("updateGroup", made(LEGACY_ID), made(INTERNAL_ID), error(-1, "nobody"))
    answer = served.post(GROUPS, json=BODY)
    assert (answer.status_code, answer.json()["error"]) == (
        400, "The group was not made, since its members could not be added: nobody",
    )  # fmt: skip
    assert [one["groupId"] for _, one in sent(daemon, "quitGroup")] == [LEGACY_ID, INTERNAL_ID]


def test_of_a_change_in_several_steps_it_is_told_which_were_made(
    served: Bridge, daemon: ScriptedDaemon
) -> None:
    daemon.on("updateGroup", error(-32603, "boom"))
    row = {"id": INTERNAL_ID, "name": "old", "messageExpirationTime": 60}
    daemon.on("listGroups", result([row]))
    answer = served.put(f"{GROUPS}/{GROUP_ID}", json={"name": "new", "expiration_time": 60})
    assert (answer.status_code, answer.json()["error"]) == (
        400, "Changed: expiration_time. Not changed: name. boom",
    )  # fmt: skip


def test_members_who_are_invited_though_it_was_refused_are_added(
    served: Bridge, daemon: ScriptedDaemon
) -> None:
    late = error(-32603, "Failed requirement. (IllegalArgumentException)")
    daemon.on("updateGroup", made(LEGACY_ID), made(INTERNAL_ID), late)
    listed = {"id": INTERNAL_ID, "isMember": True, "pendingMembers": [{"number": "+491"}]}
    daemon.on("listGroups", result([listed]))
    assert served.post(GROUPS, json=BODY).status_code == 201
    assert [one["groupId"] for _, one in sent(daemon, "quitGroup")] == [LEGACY_ID]


BEFORE = {"id": INTERNAL_ID, "name": "n", "isMember": True, "isBlocked": False}
OUTCOMES = [
    ("PUT", "", {"name": "new"}, "updateGroup", {"name": "new"}, 204),
    ("PUT", "", {"name": "new"}, "updateGroup", {}, 400),
    ("DELETE", "", {}, "quitGroup", {"isMember": False}, 200),
    ("DELETE", "", {}, "quitGroup", {}, 400),
    ("DELETE", "", {}, "quitGroup", {"isMember": False, "pendingMembers": [{"number": ACCOUNT}]},
     400),
    ("DELETE", "", {}, "quitGroup", {"isMember": False, "pendingMembers": "nonsense"}, 400),
    ("POST", "/quit", {}, "quitGroup", {"isMember": False}, 204),
    ("POST", "/join", {}, "updateGroup", {}, 204),
    ("POST", "/join", {}, "updateGroup", {"isMember": False}, 400),
    ("POST", "/block", {}, "block", {"isBlocked": True}, 204),
    ("POST", "/block", {}, "block", {}, 400),
    ("POST", "/members", {"members": ["+491"]}, "updateGroup",
     {"pendingMembers": [{"number": "+491"}]}, 204),
    ("POST", "/members", {"members": ["+491"]}, "updateGroup", {}, 400),
    ("POST", "/admins", {"admins": ["+491"]}, "updateGroup", {"admins": [{"number": "+491"}]}, 204),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "call", "after", "status"), OUTCOMES)
def test_what_was_refused_after_it_was_done_is_a_success(
    method: str,
    path: str,
    body: dict[str, Any],
    call: str,
    after: dict[str, Any],
    status: int,
    served: Bridge,
    daemon: ScriptedDaemon,
) -> None:
    daemon.on(call, error(-32603, "Failed requirement. (IllegalArgumentException)"))
    daemon.on("listGroups", result([BEFORE | after]))
    answer = served.request(method, f"{GROUPS}/{GROUP_ID}{path}", json=body or None)
    assert answer.status_code == status
    if status == 400:
        assert answer.json()["error"] == "Failed requirement."


@pytest.mark.parametrize(
    ("people", "answer", "status"),
    [
        (["+491", "+492"], {}, 400),
        (["+491"], {}, 204),  # is one already
        (["+491", "foo.01"], {}, 204),  # a username is not listed
        (["+492"], {"timestamp": 5, "results": []}, 204),
    ],
)
def test_who_is_no_member_does_not_become_an_admin_in_silence(
    people: list[str], answer: dict[str, Any], status: int, served: Bridge, daemon: ScriptedDaemon
) -> None:
    daemon.on("listGroups", result([BEFORE | {"members": [{"number": "+491"}]}]))
    daemon.on("updateGroup", result(answer))
    told = served.post(f"{GROUPS}/{GROUP_ID}/admins", json={"admins": people})
    assert told.status_code == status
    if status == 400:
        assert told.json()["error"] == "Only members can be admins, not +492"


ONE = BEFORE | {"members": [{"number": "+491"}], "admins": [{"number": "+491"}]}
REMOVALS = [("members", "members"), ("admins", "admins")]


@pytest.mark.parametrize(("path", "name"), REMOVALS)
@pytest.mark.parametrize(
    ("answer", "then", "status"),
    [
        ({}, ONE, 400),
        ({}, BEFORE, 204),  # somebody else was faster
        ({"timestamp": 5, "results": []}, ONE, 204),  # the list is not read again
    ],
)
def test_who_is_still_in_the_group_was_not_removed(
    answer: dict[str, Any], then: dict[str, Any], status: int, path: str, name: str,
    served: Bridge, daemon: ScriptedDaemon,
) -> None:  # fmt: skip
    """signal-cli #2000"""
    daemon.on("listGroups", result([ONE]), result([then]))
    daemon.on("updateGroup", result(answer))
    told = served.delete(f"{GROUPS}/{GROUP_ID}/{path}", json={name: ["+491", "+492"]})
    assert told.status_code == status
    if status == 400:
        assert told.json()["error"].startswith("Not removed: +491.")
        assert told.json()["code"] == "refused"


@pytest.mark.parametrize(("path", "name"), REMOVALS)
def test_to_remove_who_is_not_there_is_no_failure(
    path: str, name: str, served: Bridge, daemon: ScriptedDaemon
) -> None:
    daemon.on("listGroups", result([BEFORE]))
    assert served.delete(f"{GROUPS}/{GROUP_ID}/{path}", json={name: ["+491"]}).status_code == 204
    assert len(daemon.asked("listGroups")) == 1


def test_what_signal_cli_refuses_at_once_is_not_looked_at(
    served: Bridge, daemon: ScriptedDaemon
) -> None:
    daemon.on("quitGroup", error(-1, "User is not a group member."))
    assert served.delete(f"{GROUPS}/{GROUP_ID}").status_code == 400
    assert not daemon.asked("listGroups")


@pytest.mark.parametrize("seconds", [0, 86400])
def test_a_group_shows_after_how_long_its_messages_disappear(
    seconds: int, served: Bridge, daemon: ScriptedDaemon
) -> None:
    daemon.on("listGroups", result([{"id": INTERNAL_ID, "messageExpirationTime": seconds}]))
    assert served.get(f"{GROUPS}/{GROUP_ID}").json()["expiration_time"] == seconds
