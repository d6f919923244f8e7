"""Stories: how the file comes, who sees it, and what is answered."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from tests.routes.conftest import ACCOUNT
from tests.support import Bridge, ScriptedDaemon
from tests.support.scripted_daemon import Connection, Request, error, result

INTERNAL_ID = "Pmpi+EfPWmsxiomLe9Nx2XF9HOE483p6iKiFj65iMwI="
GROUP_ID = "group.UG1waStFZlBXbXN4aW9tTGU5TngyWEY5SE9FNDgzcDZpS2lGajY1aU13ST0="
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
PICTURE = base64.b64encode(PNG).decode()
STORIES = f"/v1/stories/{ACCOUNT}"
POSTED = {"timestamp": 7, "results": [{"type": "SUCCESS", "recipientAddress": {"number": "+491"}}]}


class Phone:
    """What signal-cli would post: it reads the file while it is asked to."""

    def __init__(self) -> None:
        self.saw: list[tuple[str, bytes]] = []

    def __call__(self, connection: Connection, request: Request) -> None:
        path = Path(request.params["attachment"])
        self.saw.append((path.name, path.read_bytes()))
        result(POSTED)(connection, request)


def params_of(daemon: ScriptedDaemon) -> dict[str, Any]:
    """Without the file, whose place is the bridge's own."""
    (request,) = daemon.asked("sendStory")
    return {name: value for name, value in request.params.items() if name != "attachment"}


def test_a_picture_becomes_a_story_for_all_contacts(served: Bridge, daemon: ScriptedDaemon) -> None:
    daemon.on("sendStory", phone := Phone())
    body = {"base64_attachment": f"data:image/png;filename=cat.png;base64,{PICTURE}"}
    answer = served.post(STORIES, json=body)
    assert (answer.status_code, answer.json()) == (201, {"timestamp": "7"})
    assert params_of(daemon) == {"account": ACCOUNT}
    assert phone.saw == [("cat.png", PNG)]
    assert not Path(daemon.asked("sendStory")[0].params["attachment"]).exists()


def test_a_file_of_a_form_becomes_a_story_for_a_group(
    served: Bridge, daemon: ScriptedDaemon
) -> None:
    daemon.on("sendStory", phone := Phone())
    answer = served.post(
        STORIES,
        data={"group_id": GROUP_ID, "allow_replies": "false"},
        files={"attachment": ("cat.png", PNG)},
    )
    assert (answer.status_code, answer.json()) == (201, {"timestamp": "7"})
    assert params_of(daemon) == {"group-id": INTERNAL_ID, "no-replies": True, "account": ACCOUNT}
    assert phone.saw == [("cat.png", PNG)]


def test_whom_a_story_did_not_reach_is_in_the_answer(
    served: Bridge, daemon: ScriptedDaemon
) -> None:
    missed = {"type": "NETWORK_FAILURE", "recipientAddress": {"number": "+492", "uuid": None}}
    daemon.on("sendStory", result({"timestamp": 7, "results": [*POSTED["results"], missed]}))
    answer = served.post(STORIES, json={"base64_attachment": PICTURE})
    assert answer.json() == {
        "timestamp": "7",
        "errors": {"recipients": [{"number": "+492", "reason": "NETWORK_FAILURE"}]},
    }


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "Couldn't process request - attachment missing"),
        ({"base64_attachment": PICTURE, "group_id": "group.!"}, "Invalid group id"),
        ({"base64_attachment": "!"}, "illegal base64 data at input byte 0"),
        ({"base64_attachment": [PICTURE]}, "Couldn't process request - invalid request"),
        ({"base64_attachment": PICTURE, "allow_replies": "no"},
         "Couldn't process request - invalid request"),
    ],
)  # fmt: skip
def test_what_is_no_story_reaches_nobody(
    body: dict[str, Any], text: str, served: Bridge, daemon: ScriptedDaemon
) -> None:
    answer = served.post(STORIES, json=body)
    assert (answer.status_code, answer.json()["error"]) == (400, text)
    assert not daemon.asked("sendStory")


def test_two_files_are_two_stories(served: Bridge, daemon: ScriptedDaemon) -> None:
    files = [("attachment", ("a.png", PNG)), ("attachment", ("b.png", PNG))]
    answer = served.post(STORIES, files=files)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("A story has one attachment")
    assert not daemon.asked("sendStory")


def test_a_signal_cli_without_stories_is_too_old(served: Bridge, daemon: ScriptedDaemon) -> None:
    daemon.on("sendStory", error(-32601, "Method not implemented"))
    answer = served.post(STORIES, json={"base64_attachment": PICTURE})
    assert (answer.status_code, answer.json()["code"]) == (501, "not_supported")
