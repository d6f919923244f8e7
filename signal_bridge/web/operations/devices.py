"""Devices, described."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.route import Body, Operation
from signal_bridge.web.schemas import devices as schemas
from signal_bridge.web.schemas.answers import many

LIST_ALL: Final = Operation(answer=many(schemas.DeviceSchema))
ADD: Final = Operation(
    204, body=Body(schemas.DEVICE, {"uri": "sgnl://linkdevice?uuid=…&pub_key=…"})
)
REMOVE: Final = Operation(204)
RENAME: Final = Operation(
    204, body=Body(schemas.DEVICE_NAME, {"device_name": "Office"}), beyond_peer=True
)
DELETE_LOCAL_DATA: Final = Operation(
    204, body=Body(schemas.LOCAL_DATA, {"ignore_registered": False}, required=False)
)
