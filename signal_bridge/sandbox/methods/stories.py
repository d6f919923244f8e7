"""Stories, which signal-cli sends since 0.14.6 (signal-cli.rst 2.5)."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from signal_bridge.sandbox import attachments, errors
from signal_bridge.sandbox.attachments import Attachment
from signal_bridge.sandbox.call import Call, Handler
from signal_bridge.sandbox.envelopes import Story
from signal_bridge.sandbox.groups import Group
from signal_bridge.sandbox.people import Person
from signal_bridge.sandbox.sending import find_group, send_to_people

Json = dict[str, Any]


async def send_story(call: Call) -> Json:
    """`sendStory`: a picture or a film for all contacts, or with `groupId` for a group."""
    params = call.params
    source = params.text("attachment")
    if not source:
        raise errors.user_error("An attachment is required for sending a story.")
    group_id = params.text("groupId")
    group = find_group(call, group_id) if group_id else None
    file = await asyncio.to_thread(_load, call, source)
    people = _members(call, group) if group else _audience(call)
    no_replies = bool(params.flag("noReplies"))
    story = Story(call.account.person.ticker.next_ms(), not no_replies, (file,))
    return await send_to_people(call, people, story, group)


METHODS: Final[dict[str, Handler]] = {"sendStory": send_story}


def _load(call: Call, source: str) -> Attachment:
    try:
        (file,) = attachments.load_all([source], call.guarded)
    except errors.RpcError as error:
        raise errors.internal_error(error.message.replace("message", "story", 1)) from None
    if not file.content_type.startswith(("image/", "video/")):
        why = "Stories only support image and video attachments"
        raise errors.internal_error(f"Failed to send story: {why}")
    return file


def _members(call: Call, group: Group) -> list[Person]:
    group.need_member(call.account.person)
    return group.others(call.account.person)


def _audience(call: Call) -> list[Person]:
    """All contacts that are not blocked, but not oneself."""
    account = call.account
    people = [
        each.person
        for each in account.contacts.values()
        if each.listed and not each.blocked and each.person is not account.person
    ]
    if not people:
        raise errors.internal_error(
            "Failed to send story: No eligible contacts found for story delivery"
        )
    return people
