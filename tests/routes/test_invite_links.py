"""Joining a group by its link, and a new link for a group."""

from __future__ import annotations

from typing import Any

import pytest

from tests.routes.conftest import ACCOUNT
from tests.support import Bridge, ScriptedDaemon
from tests.support.scripted_daemon import Answer, drop, error, result

INTERNAL_ID = "Pmpi+EfPWmsxiomLe9Nx2XF9HOE483p6iKiFj65iMwI="
GROUP_ID = "group.UG1waStFZlBXbXN4aW9tTGU5TngyWEY5SE9FNDgzcDZpS2lGajY1aU13ST0="
KEY = "CjQKID5qYvhHz1prMYqJi3vTcdlxfRzhOPN6eoiohY-uYjMCEhAAAQIDBAUGBwgJCgsMDQ4P"
LINK = f"https://signal.group/#{KEY}"
RESET = f"/v1/groups/{ACCOUNT}/{GROUP_ID}/reset-link"


def params_of(daemon: ScriptedDaemon, method: str) -> dict[str, Any]:
    (request,) = daemon.asked(method)
    found: dict[str, Any] = request.params
    return found


@pytest.mark.parametrize("link", [LINK, f"sgnl://signal.group/#{KEY}"])
@pytest.mark.parametrize("awaits_approval", [False, True])
def test_a_group_is_joined_by_its_link(
    awaits_approval: bool, link: str, served: Bridge, daemon: ScriptedDaemon
) -> None:
    asked = {"onlyRequested": True} if awaits_approval else {}
    joined = {"timestamp": 5, "results": [], "groupId": INTERNAL_ID, **asked}
    daemon.on("joinGroup", result(joined))
    answer = served.post(f"/v1/groups/{ACCOUNT}/join", json={"invite_link": link})
    assert (answer.status_code, answer.json()) == (
        200,
        {"id": GROUP_ID, "awaits_approval": awaits_approval},
    )
    assert params_of(daemon, "joinGroup") == {"uri": link, "account": ACCOUNT}


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "Couldn't process request - invite_link missing"),
        ({"invite_link": 5}, "Couldn't process request - invalid request"),
        (
            {"invite_link": "https://signal.me/#x"},
            "This is not the invite link of a group, which begins with https://signal.group/# or "
            "sgnl://signal.group/#",
        ),
        (
            {"invite_link": LINK[:-4]},
            "The invite link is not complete: what comes after the # is cut off or changed",
        ),
    ],
)
def test_a_wrong_link_reaches_nobody(
    body: dict[str, Any], text: str, served: Bridge, daemon: ScriptedDaemon
) -> None:
    answer = served.post(f"/v1/groups/{ACCOUNT}/join", json=body)
    assert (answer.status_code, answer.json()["error"]) == (400, text)
    assert not daemon.asked("joinGroup")


def test_a_link_that_is_off_is_said_to_be(served: Bridge, daemon: ScriptedDaemon) -> None:
    daemon.on("joinGroup", error(-1, "Group link is not valid: Group link inactive"))
    answer = served.post(f"/v1/groups/{ACCOUNT}/join", json={"invite_link": LINK})
    assert (answer.status_code, answer.json()["error"]) == (
        400,
        "Group link is not valid: Group link inactive",
    )


def test_an_invitation_is_accepted_as_before(served: Bridge, daemon: ScriptedDaemon) -> None:
    assert served.post(f"/v1/groups/{ACCOUNT}/{GROUP_ID}/join").status_code == 204
    assert params_of(daemon, "updateGroup") == {"groupId": INTERNAL_ID, "account": ACCOUNT}


@pytest.mark.parametrize(("shown", "link"), [(LINK, LINK), (None, "")])
def test_a_reset_link_is_answered(
    shown: str | None, link: str, served: Bridge, daemon: ScriptedDaemon
) -> None:
    daemon.on("updateGroup", result({"timestamp": 5, "results": []}))
    daemon.on("listGroups", result([{"id": INTERNAL_ID, "groupInviteLink": shown}]))
    answer = served.post(RESET)
    assert (answer.status_code, answer.json()) == (200, {"invite_link": link})
    assert params_of(daemon, "updateGroup") == {
        "groupId": INTERNAL_ID,
        "resetLink": True,
        "account": ACCOUNT,
    }
    assert params_of(daemon, "listGroups") == {"groupId": [INTERNAL_ID], "account": ACCOUNT}


def test_who_may_not_reset_hears_why(served: Bridge, daemon: ScriptedDaemon) -> None:
    daemon.on("updateGroup", error(-1, "User is not a member in group: x"))
    assert served.post(RESET).json()["error"] == "User is not a member in group: x"
    assert not daemon.asked("listGroups")


@pytest.mark.parametrize("listed", [drop, error(-32603, "boom")])
def test_a_link_that_was_reset_and_could_not_be_asked_for_is_told_so(
    listed: Answer, served: Bridge, daemon: ScriptedDaemon
) -> None:
    daemon.on("updateGroup", result({"timestamp": 5, "results": []}))
    daemon.on("listGroups", listed)
    answer = served.post(RESET)
    assert (answer.status_code, answer.json()["outcome"]) == (502, "unknown")
    assert answer.json()["retryable"] is False
    assert answer.json()["error"].startswith("The link was reset, but what it is now could not")
