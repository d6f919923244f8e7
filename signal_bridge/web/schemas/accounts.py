"""Bodies and answers of the account routes."""

from __future__ import annotations

from typing import Final

from signal_bridge.feed.account_book import LINKED, MISSING, UNLINKED
from signal_bridge.web.schemas.answers import AnswerSchema, flag, many, text, time_ms, word
from signal_bridge.web.schemas.base import BodySchema, Flag, Text
from signal_bridge.web.schemas.examples import ANN


class RegisterBody(BodySchema):
    """How the verification code comes, and the captcha that Signal may want first."""

    use_voice = Flag(load_default=False)
    captcha = Text(load_default="")


class VerifyBody(BodySchema):
    """The PIN, if the number was locked with one."""

    pin = Text(load_default="")


class UnregisterBody(BodySchema):
    """What goes along with the registration."""

    delete_account = Flag(load_default=False)
    delete_local_data = Flag(load_default=False)


class ChallengeBody(BodySchema):
    """A token from a refusal, and the captcha that was solved for it."""

    challenge_token = Text(load_default="")
    captcha = Text(load_default="")


class AccountSettingsBody(BodySchema):
    """Who can find the account; what is left out stays."""

    discoverable_by_number = Flag(load_default=None)
    share_number = Flag(load_default=None)


class UsernameBody(BodySchema):
    """The username to take."""

    username = Text(load_default="")


class PinBody(BodySchema):
    """The PIN of the registration lock."""

    pin = Text(load_default="")


class AccountSchema(AnswerSchema):
    """How an account is."""

    number = text(ANN)
    state = word(LINKED, MISSING, UNLINKED)
    detail = text("", about="the same as a sentence")
    since = time_ms("when it entered this state")
    receiving = flag(True, about="whether the bridge receives for it")
    last_event_at = time_ms("when its last event arrived", allow_none=True)


class UsernameSchema(AnswerSchema):
    """The username that was taken."""

    username = text("ann.42", about="with the digits that Signal has added")
    username_link = text("https://signal.me/#eu/…")


NUMBERS: Final = many(text(ANN))


REGISTER: Final = RegisterBody()
VERIFY: Final = VerifyBody()
UNREGISTER: Final = UnregisterBody()
CHALLENGE: Final = ChallengeBody()
ACCOUNT_SETTINGS: Final = AccountSettingsBody()
USERNAME: Final = UsernameBody()
PIN: Final = PinBody()
