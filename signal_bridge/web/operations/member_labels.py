"""Labels of members, described."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.route import Body, Operation
from signal_bridge.web.schemas import member_labels as schemas

CHANGE: Final = Operation(
    204,
    body=Body(schemas.MEMBER_LABEL, {"label": "Treasurer", "label_emoji": "🪙"}),
    beyond_peer=True,
)
