"""Contacts, described."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.description import answers
from signal_bridge.web.description.answers import BOB
from signal_bridge.web.route import FLAG, PICTURE, Body, Operation, Query
from signal_bridge.web.schemas import contacts as schemas

_EVERYBODY: Final = Query("all_recipients", FLAG, "not only contacts: everybody the account knows")

LIST_ALL: Final = Operation(answer=[answers.CONTACT], query=(_EVERYBODY,))
UPDATE: Final = Operation(204, body=Body(schemas.CONTACT, {"recipient": BOB, "name": "Bob"}))
SYNC: Final = Operation(204)
GET: Final = Operation(answer=answers.CONTACT, query=(_EVERYBODY,))
GET_AVATAR: Final = Operation(content=PICTURE)
