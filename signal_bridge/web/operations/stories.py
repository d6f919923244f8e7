"""Stories, described."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.route import BYTES, FLAG, TEXT, Body, Needs, Operation
from signal_bridge.web.schemas import stories as schemas
from signal_bridge.web.schemas.examples import GROUP, PICTURE_BASE64
from signal_bridge.web.schemas.messages import SentSchema

_FORM: Final = {
    "type": "object",
    "properties": {
        "attachment": BYTES,
        "group_id": TEXT,
        "allow_replies": {**FLAG, "default": "true"},
    },
}

POST: Final = Operation(
    201,
    SentSchema,
    Body(
        schemas.STORY,
        {"base64_attachment": PICTURE_BASE64, "group_id": GROUP, "allow_replies": False},
        form=_FORM,
    ),
    needs=Needs.SIGNAL_CLI | Needs.ROOM,
    beyond_peer=True,
)
