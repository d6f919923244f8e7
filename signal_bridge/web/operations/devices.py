"""Devices, described."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.description import answers
from signal_bridge.web.route import Body, Operation
from signal_bridge.web.schemas import devices as schemas

LIST_ALL: Final = Operation(answer=answers.DEVICES)
ADD: Final = Operation(
    204, body=Body(schemas.DEVICE, {"uri": "sgnl://linkdevice?uuid=…&pub_key=…"})
)
REMOVE: Final = Operation(204)
DELETE_LOCAL_DATA: Final = Operation(
    204, body=Body(schemas.LOCAL_DATA, {"ignore_registered": False}, required=False)
)
