"""Bodies and answers of the contact routes."""

from __future__ import annotations

from typing import Final

from signal_bridge.signalcli.contacts import ContactChange
from signal_bridge.web.schemas.answers import AnswerSchema, flag, one, text, time_ms
from signal_bridge.web.schemas.base import BodySchema, Text, Whole
from signal_bridge.web.schemas.examples import BOB, UUID


class ContactBody(BodySchema):
    """A contact, and what to change of it; what is left out stays."""

    makes = ContactChange

    recipient = Text(load_default="")
    name = Text(load_default=None)
    expiration_in_seconds = Whole(load_default=None)


class ContactProfileSchema(AnswerSchema):
    """What somebody says of themselves."""

    given_name = text("Bob")
    lastname = text("")
    about = text("")
    has_avatar = flag(False)
    last_updated_timestamp = time_ms("when it was last fetched")


class NicknameSchema(AnswerSchema):
    """What the account calls somebody."""

    name = text("")
    given_name = text("")
    family_name = text("")


class ContactSchema(AnswerSchema):
    """Somebody whom the account knows."""

    number = text(BOB)
    uuid = text(UUID)
    name = text("Bob")
    profile_name = text("Bob")
    username = text("")
    color = text("")
    blocked = flag(False)
    archived = flag(
        False,
        required=False,
        about="whether the chat lies in the archive; signal-cli says it since 0.14.1",
    )
    message_expiration = text("0", about="seconds after which messages disappear, as a text")
    note = text("")
    profile = one(ContactProfileSchema)
    given_name = text("")
    nickname = one(NicknameSchema)


CONTACT: Final = ContactBody()
