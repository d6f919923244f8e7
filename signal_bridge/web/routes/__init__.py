"""The whole REST surface, one line a route. Each module beside this one holds one resource."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from signal_bridge.web.routes import (
    accounts,
    attachments,
    groups,
    health,
    linking,
    messages,
    profiles,
    receive,
)


class Route(NamedTuple):
    """A method and a path, and the view that serves them. `<maybe:…>` may be empty (1.1)."""

    method: str
    path: str
    view: Callable[..., Any]


_GROUP: Final = "/v1/groups/<maybe:number>/<group_id>"

SURFACE: Final = (
    Route("GET", "/livez", health.live),
    Route("GET", "/readyz", health.ready),
    Route("GET", "/v1/health", health.peer_health),
    Route("GET", "/v1/about", health.about),
    Route("GET", "/v1/accounts", accounts.list_all),
    Route("POST", "/v1/register/<number>", accounts.register),
    Route("POST", "/v1/register/<maybe:number>/verify/<token>", accounts.verify),
    Route("POST", "/v1/unregister/<number>", accounts.unregister),
    Route("GET", "/v1/qrcodelink", linking.qr_code),
    Route("GET", "/v1/qrcodelink/raw", linking.raw),
    Route("POST", "/v2/send", messages.send),
    Route("POST", "/v1/send", messages.send_v1),
    Route("GET", "/v1/receive/<number>", receive.poll),
    Route("GET", "/v1/groups/<number>", groups.list_all),
    Route("POST", "/v1/groups/<number>", groups.create),
    Route("GET", _GROUP, groups.get),
    Route("DELETE", _GROUP, groups.leave),
    Route("POST", f"{_GROUP}/join", groups.join),
    Route("POST", f"{_GROUP}/quit", groups.leave_with_204),
    Route("GET", "/v1/profiles/<number>", profiles.get),
    Route("POST", "/v1/profiles/<number>", profiles.update),
    Route("PUT", "/v1/profiles/<number>", profiles.update),
    Route("GET", "/v1/attachments/<attachment>", attachments.get),
)
