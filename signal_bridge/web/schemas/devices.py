"""Bodies and answers of the device routes."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.schemas.answers import AnswerSchema, text, time_ms, whole
from signal_bridge.web.schemas.base import BodySchema, Flag, Text


class DeviceBody(BodySchema):
    """The device to link, by the URI that it shows."""

    uri = Text(load_default="")


class DeviceNameBody(BodySchema):
    """What a device is to be called."""

    device_name = Text(
        load_default="",
        metadata={"description": "the name that is shown in the list of linked devices"},
    )


class LocalDataBody(BodySchema):
    """Whether the data of a registered account may go, too."""

    ignore_registered = Flag(load_default=False)


class DeviceSchema(AnswerSchema):
    """One of the account's devices."""

    id = whole(1)
    name = text("phone")
    last_seen_timestamp = time_ms("when it was last seen")
    creation_timestamp = time_ms("when it was linked")


DEVICE: Final = DeviceBody()
DEVICE_NAME: Final = DeviceNameBody()
LOCAL_DATA: Final = LocalDataBody()
