"""Stories (rest-surface.rst 13.6): a picture or a video, for all contacts or for one group."""

from __future__ import annotations

import dataclasses
from typing import Any

from signal_bridge.errors import RequestError
from signal_bridge.signalcli.addresses import internal_group_id
from signal_bridge.signalcli.attachments import Enclosure
from signal_bridge.signalcli.call import Call
from signal_bridge.signalcli.params import without_none


@dataclasses.dataclass(frozen=True)
class Story:
    """A story on its way out.

    `group_id` is empty for My Story, which all contacts see; once it was decided, it is the
    internal id. `attachments` holds one file, when all is well; its path, once that lies where
    signal-cli can read it.
    """

    attachments: tuple[Enclosure, ...] = ()
    group_id: str = ""
    allow_replies: bool = True


def decide(story: Story) -> Story:
    """The story with the group's internal id, checked as far as that goes without its file.

    Raises `RequestError` (no attachment or several, `Invalid group id`).
    """
    if not story.attachments:
        raise RequestError("Couldn't process request - attachment missing")
    if len(story.attachments) > 1:
        raise RequestError("A story has one attachment; please post each as a story of its own")
    return dataclasses.replace(story, group_id=internal_group_id(story.group_id))


def post(number: str, story: Story) -> Call:
    """The call that posts a decided story, whose file lies on the disk.

    Since signal-cli 0.14.6. Answered as a send is (`results.send_answer`).
    """
    (attachment,) = story.attachments
    params: dict[str, Any] = {
        "attachment": str(attachment),
        "group-id": story.group_id or None,
        "no-replies": None if story.allow_replies else True,
        "account": number,
    }
    return Call("sendStory", without_none(params))
