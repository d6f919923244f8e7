"""Bodies of the account routes."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.schemas.base import BodySchema, Flag, Text


class RegisterSchema(BodySchema):
    use_voice = Flag(load_default=False)
    captcha = Text(load_default="")


class VerifySchema(BodySchema):
    pin = Text(load_default="")


class UnregisterSchema(BodySchema):
    delete_account = Flag(load_default=False)
    delete_local_data = Flag(load_default=False)


REGISTER: Final = RegisterSchema()
VERIFY: Final = VerifySchema()
UNREGISTER: Final = UnregisterSchema()
