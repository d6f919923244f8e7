"""Profiles, described."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.route import Body, Needs, Operation
from signal_bridge.web.schemas import profiles as schemas

GET: Final = Operation(answer=schemas.ProfileSchema, beyond_peer=True)
UPDATE: Final = Operation(
    204,
    body=Body(schemas.PROFILE, {"name": "Ann", "about": "hello", "keep_avatar": True}),
    needs=Needs.SIGNAL_CLI | Needs.ROOM,
)
