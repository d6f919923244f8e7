"""Groups and people."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.description import answers
from signal_bridge.web.description.answers import ANN, BOB, MS
from signal_bridge.web.description.operation import (
    BYTES,
    FLAG,
    TEXT,
    TEXTS,
    Body,
    Needs,
    Operation,
    Operations,
    Query,
)
from signal_bridge.web.routes import (
    contacts,
    groups,
    identities,
    profiles,
    search,
    sticker_packs,
)
from signal_bridge.web.schemas.contacts import CONTACT
from signal_bridge.web.schemas.groups import (
    ADMINS,
    GROUP_CHANGE,
    MEMBERS,
    NEW_GROUP,
    PIN_MESSAGE,
    UNPIN_MESSAGE,
)
from signal_bridge.web.schemas.identities import TRUST
from signal_bridge.web.schemas.profiles import PROFILE
from signal_bridge.web.schemas.sticker_packs import STICKER_PACK

_PICTURE: Final = {"image/*": {"schema": BYTES}}
_EXPAND: Final = Query("expand", FLAG, "people as number and UUID")
_EVERYBODY: Final = Query("all_recipients", FLAG, "not only contacts: everybody the account knows")
_NUMBERS: Final = Query("numbers", TEXTS, "numbers to look for", True)
_MEMBERS: Final = Body(MEMBERS, {"members": [BOB]})
_ADMINS: Final = Body(ADMINS, {"admins": [BOB]})
_PIN: Final = {"target_author": ANN, "timestamp": MS}
_PERMISSIONS: Final = {"add_members": "only-admins", "edit_group": "every-member"}

OPERATIONS: Final[Operations] = {
    groups.list_all: Operation(answer=[answers.GROUP_SHOWN], query=(_EXPAND,)),
    groups.create: Operation(
        201,
        answers.GROUP_CREATED,
        Body(
            NEW_GROUP,
            {"name": "Friends", "members": [BOB], "permissions": _PERMISSIONS},
        ),
    ),
    groups.get: Operation(answer=answers.GROUP_SHOWN, query=(_EXPAND,)),
    groups.update: Operation(
        204,
        body=Body(GROUP_CHANGE, {"name": "Friends", "expiration_time": 86400}),
        needs=Needs.SIGNAL_CLI | Needs.ROOM,
    ),
    groups.leave: Operation(200),
    groups.join: Operation(204),
    groups.leave_with_204: Operation(204),
    groups.block: Operation(204),
    groups.add_members: Operation(204, body=_MEMBERS),
    groups.remove_members: Operation(204, body=_MEMBERS),
    groups.add_admins: Operation(204, body=_ADMINS),
    groups.remove_admins: Operation(204, body=_ADMINS),
    groups.get_avatar: Operation(content=_PICTURE),
    groups.pin_message: Operation(201, body=Body(PIN_MESSAGE, _PIN)),
    groups.unpin_message: Operation(201, body=Body(UNPIN_MESSAGE, _PIN)),
    # people
    profiles.get: Operation(answer=answers.PROFILE, beyond_peer=True),
    profiles.update: Operation(
        204,
        body=Body(PROFILE, {"name": "Ann", "about": "hello", "keep_avatar": True}),
        needs=Needs.SIGNAL_CLI | Needs.ROOM,
    ),
    contacts.list_all: Operation(answer=[answers.CONTACT], query=(_EVERYBODY,)),
    contacts.update: Operation(204, body=Body(CONTACT, {"recipient": BOB, "name": "Bob"})),
    contacts.sync: Operation(204),
    contacts.get: Operation(answer=answers.CONTACT, query=(_EVERYBODY,)),
    contacts.get_avatar: Operation(content=_PICTURE),
    search.search: Operation(answer=answers.FOUND, query=(_NUMBERS,)),
    search.search_by_any: Operation(
        answer=answers.FOUND,
        query=(_NUMBERS, Query("number", TEXT, "the account that asks; else any")),
    ),
    identities.list_all: Operation(answer=answers.IDENTITIES),
    identities.trust: Operation(204, body=Body(TRUST, {"trust_all_known_keys": True})),
    sticker_packs.list_all: Operation(answer=answers.STICKER_PACKS),
    sticker_packs.add: Operation(201, body=Body(STICKER_PACK, {"pack_id": "…", "pack_key": "…"})),
}
