"""Stories: who is shown one, what it looks like, and what is none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sandbox.conftest import only_new
from tests.sandbox.daemon import ALICE, BOB, CAROL, DAVE, ROBOT, Client, Sandbox
from tests.sandbox.shapes import ATTACHMENT, ENVELOPE

pytestmark = only_new


@pytest.fixture
def picture(tmp_path: Path) -> str:
    path = tmp_path / "sunset.png"
    path.write_bytes(b"\x89PNG and so on")
    return str(path)


def test_a_story_is_shown_to_all_contacts(subscriber: Client, picture: str) -> None:
    sent = subscriber.result("sendStory", attachment=picture)
    shown = {entry["recipientAddress"]["number"] for entry in sent["results"]}
    assert {BOB, CAROL, DAVE, ROBOT} <= shown
    assert ALICE not in shown
    assert list(sent["results"][0]) == ["recipientAddress", "type"]
    envelope = subscriber.envelope(BOB, "storyMessage", sent["timestamp"])
    assert list(envelope) == [*ENVELOPE, "storyMessage"]
    story = envelope["storyMessage"]
    assert list(story) == ["allowsReplies", "fileAttachment"]
    assert story["allowsReplies"] is True
    assert list(story["fileAttachment"]) == ATTACHMENT
    assert story["fileAttachment"]["filename"] == "sunset.png"
    stored = subscriber.result("getAttachment", account=BOB, id=story["fileAttachment"]["id"])
    assert stored["data"].startswith("iVBOR")


def test_a_story_of_a_group_names_it(subscriber: Client, picture: str) -> None:
    group = subscriber.result("updateGroup", name="g", member=BOB)["groupId"]
    sent = subscriber.result("sendStory", attachment=picture, groupId=group, noReplies=True)
    assert [entry["recipientAddress"]["number"] for entry in sent["results"]] == [BOB]
    story = subscriber.envelope(BOB, "storyMessage", sent["timestamp"])["storyMessage"]
    assert list(story) == ["allowsReplies", "groupId", "fileAttachment"]
    assert (story["allowsReplies"], story["groupId"]) == (False, group)


def test_what_is_no_story_is_refused(client: Client, tmp_path: Path, picture: str) -> None:
    text = "An attachment is required for sending a story."
    assert client.error("sendStory") == {"code": -1, "message": text, "data": None}
    note = tmp_path / "note.txt"
    note.write_text("hello")
    text = "Failed to send story: Stories only support image and video attachments"
    error = client.error("sendStory", attachment=str(note))
    assert error == {"code": -32603, "message": text, "data": None}
    missing = client.error("sendStory", attachment="/nonexistent.png")
    text = "Failed to send story: /nonexistent.png (No such file or directory)"
    assert missing == {"code": -32603, "message": text, "data": None}
    unknown = client.error("sendStory", attachment=picture, groupId="AAAA")
    assert unknown["message"] == "Group not found: AAAA"
    group = client.result("updateGroup", name="g", member=[BOB, CAROL])["groupId"]
    client.result("quitGroup", account=BOB, groupId=group)
    gone = client.error("sendStory", account=BOB, attachment=picture, groupId=group)
    assert gone["message"] == f"User is not a member in group: g ({group})"


def test_a_daemon_that_ignores_stories_shows_none(
    start: Callable[..., Sandbox], picture: str
) -> None:
    client = start("--ignore-stories").connect()
    client.result("sendStory", attachment=picture)
    last = client.result("send", recipient=[BOB], message="last")["timestamp"]
    client.data_message(BOB, last)
    assert "storyMessage" not in str(client.notifications)


def test_one_can_answer_a_story(subscriber: Client, picture: str) -> None:
    shown = subscriber.result("sendStory", attachment=picture)["timestamp"]
    answer = {"storyTimestamp": shown, "storyAuthor": ALICE}
    sent = subscriber.result("send", account=BOB, recipient=[ALICE], message="wow", **answer)
    context = subscriber.data_message(ALICE, sent["timestamp"])["storyContext"]
    assert (context["authorNumber"], context["sentTimestamp"]) == (ALICE, shown)
