"""Stories, described."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.route import BYTES, Body, Needs, Operation, form_of
from signal_bridge.web.schemas import stories as schemas
from signal_bridge.web.schemas.examples import GROUP, PICTURE_BASE64
from signal_bridge.web.schemas.messages import SentSchema

POST: Final = Operation(
    201,
    SentSchema,
    Body(
        schemas.STORY,
        {"base64_attachment": PICTURE_BASE64, "group_id": GROUP, "allow_replies": False},
        form=form_of(schemas.STORY, attachment=BYTES),
    ),
    needs=Needs.SIGNAL_CLI | Needs.ROOM,
    beyond_peer=True,
)
