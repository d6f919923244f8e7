from __future__ import annotations

from pathlib import Path

import pytest

from signal_bridge.errors import RequestError
from signal_bridge.signalcli import stories
from signal_bridge.signalcli.call import Call
from signal_bridge.signalcli.stories import Story

ME = "+4915112345"
INTERNAL = "Pmpi+EfPWmsxiomLe9Nx2XF9HOE483p6iKiFj65iMwI="
GROUP = "group.UG1waStFZlBXbXN4aW9tTGU5TngyWEY5SE9FNDgzcDZpS2lGajY1aU13ST0="
FILE = "/spool/a.png"


def test_a_story_is_for_all_contacts_and_may_be_replied_to() -> None:
    story = stories.decide(Story((FILE,)))
    assert stories.post(ME, story) == Call("sendStory", {"attachment": FILE, "account": ME})


@pytest.mark.parametrize("group", [GROUP, INTERNAL])
def test_a_story_may_be_for_a_group_and_without_replies(group: str) -> None:
    story = stories.decide(Story((Path(FILE),), group, allow_replies=False))
    assert stories.post(ME, story) == Call(
        "sendStory",
        {"attachment": FILE, "group-id": INTERNAL, "no-replies": True, "account": ME},
    )


@pytest.mark.parametrize(
    ("story", "text"),
    [
        (Story(), "Couldn't process request - attachment missing"),
        (Story(group_id="group.!"), "Couldn't process request - attachment missing"),
        (
            Story((FILE, FILE)),
            "A story has one attachment; please post each as a story of its own",
        ),
        (Story((FILE,), "group.!"), "Invalid group id"),
    ],
)
def test_a_story_is_one_file_for_one_audience(story: Story, text: str) -> None:
    with pytest.raises(RequestError) as caught:
        stories.decide(story)
    assert str(caught.value) == text
