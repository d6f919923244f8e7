"""Bodies of the device routes."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.schemas.base import BodySchema, Flag, Text


class DeviceSchema(BodySchema):
    uri = Text(load_default="")


class LocalDataSchema(BodySchema):
    ignore_registered = Flag(load_default=False)


DEVICE: Final = DeviceSchema()
LOCAL_DATA: Final = LocalDataSchema()
