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


class ChallengeSchema(BodySchema):
    challenge_token = Text(load_default="")
    captcha = Text(load_default="")


class AccountSettingsSchema(BodySchema):
    discoverable_by_number = Flag(load_default=None)
    share_number = Flag(load_default=None)


class UsernameSchema(BodySchema):
    username = Text(load_default="")


class PinSchema(BodySchema):
    pin = Text(load_default="")


REGISTER: Final = RegisterSchema()
VERIFY: Final = VerifySchema()
UNREGISTER: Final = UnregisterSchema()
CHALLENGE: Final = ChallengeSchema()
ACCOUNT_SETTINGS: Final = AccountSettingsSchema()
USERNAME: Final = UsernameSchema()
PIN: Final = PinSchema()
