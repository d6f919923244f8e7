"""Groups, described."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.route import FLAG, PICTURE, Body, Needs, Operation, Query
from signal_bridge.web.schemas import groups as schemas
from signal_bridge.web.schemas.answers import many
from signal_bridge.web.schemas.examples import ANN, BOB, MS

_EXPAND: Final = Query("expand", FLAG, "people as number and UUID")
_MEMBERS: Final = Body(schemas.MEMBERS, {"members": [BOB]})
_ADMINS: Final = Body(schemas.ADMINS, {"admins": [BOB]})
_PIN: Final = {"target_author": ANN, "timestamp": MS}
_PERMISSIONS: Final = {"add_members": "only-admins", "edit_group": "every-member"}

LIST_ALL: Final = Operation(answer=many(schemas.GroupSchema), query=(_EXPAND,))
CREATE: Final = Operation(
    201,
    schemas.GroupCreatedSchema,
    Body(
        schemas.NEW_GROUP,
        {"name": "Friends", "members": [BOB], "permissions": _PERMISSIONS},
    ),
    needs=Needs.SIGNAL_CLI | Needs.ROOM,
)
GET: Final = Operation(answer=schemas.GroupSchema, query=(_EXPAND,))
UPDATE: Final = Operation(
    204,
    body=Body(schemas.GROUP_CHANGE, {"name": "Friends", "expiration_time": 86400}),
    needs=Needs.SIGNAL_CLI | Needs.ROOM,
)
LEAVE: Final = Operation(200)
JOIN: Final = Operation(204)
LEAVE_WITH_204: Final = Operation(204)
BLOCK: Final = Operation(204)
ADD_MEMBERS: Final = Operation(204, body=_MEMBERS)
REMOVE_MEMBERS: Final = Operation(204, body=_MEMBERS)
ADD_ADMINS: Final = Operation(204, body=_ADMINS)
REMOVE_ADMINS: Final = Operation(204, body=_ADMINS)
GET_AVATAR: Final = Operation(content=PICTURE)
PIN_MESSAGE: Final = Operation(201, body=Body(schemas.PIN_MESSAGE, _PIN))
UNPIN_MESSAGE: Final = Operation(201, body=Body(schemas.UNPIN_MESSAGE, _PIN))
