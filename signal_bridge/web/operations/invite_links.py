"""Invite links, described."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.route import Body, Operation
from signal_bridge.web.schemas import invite_links as schemas
from signal_bridge.web.schemas.examples import INVITE_LINK

JOIN: Final = Operation(
    answer=schemas.JoinedSchema,
    body=Body(schemas.JOIN, {"invite_link": INVITE_LINK}),
    beyond_peer=True,
)
RESET: Final = Operation(answer=schemas.NewLinkSchema, beyond_peer=True)
