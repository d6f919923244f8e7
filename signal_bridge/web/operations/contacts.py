"""Contacts, described."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.route import FLAG, PICTURE, Body, Operation, Query
from signal_bridge.web.schemas import contacts as schemas
from signal_bridge.web.schemas.answers import many
from signal_bridge.web.schemas.examples import BOB

_EVERYBODY: Final = Query("all_recipients", FLAG, "not only contacts: everybody the account knows")

LIST_ALL: Final = Operation(answer=many(schemas.ContactSchema), query=(_EVERYBODY,))
UPDATE: Final = Operation(204, body=Body(schemas.CONTACT, {"recipient": BOB, "name": "Bob"}))
SYNC: Final = Operation(204)
GET: Final = Operation(answer=schemas.ContactSchema, query=(_EVERYBODY,))
GET_AVATAR: Final = Operation(content=PICTURE)
