"""Stories: a picture or a video, for all contacts or for one group (rest-surface.rst 13.6)."""

from __future__ import annotations

import dataclasses

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from signal_bridge.signalcli import results, stories
from signal_bridge.signalcli.stories import Story
from signal_bridge.web.edge.forms import read_form
from signal_bridge.web.edge.inputs import read_body, required_number
from signal_bridge.web.edge.uploads import attachment_file
from signal_bridge.web.routes.outcomes import run_for_each
from signal_bridge.web.schemas.stories import STORY


def post(number: str) -> ResponseReturnValue:
    """Post a picture or a video as a story, for all contacts or for one group. 201.

    Takes JSON, and `multipart/form-data` with the file as `attachment`. With `group_id` the members
    of that group see it, without it all contacts do; with `allow_replies` false nobody can reply.
    Answers the story's timestamp (ms) as a text, and under `errors.recipients` whom it did not
    reach and why. 400 when there is no file or more than one, and for what is no picture and no
    video; 501 before signal-cli 0.14.6.
    """
    number = required_number(number)
    story = stories.decide(_read_story())
    files = tuple(str(attachment_file(one)) for one in story.attachments)
    result = run_for_each(stories.post(number, dataclasses.replace(story, attachments=files)))
    return jsonify(results.send_answer(result)), 201


def _read_story() -> Story:
    """The body, JSON or a form, whose files lie in the spool already."""
    if request.mimetype != "multipart/form-data":
        story: Story = read_body(STORY)
        return story
    story, files = read_form(STORY)
    return dataclasses.replace(story, attachments=(*story.attachments, *files))
