"""What belongs to the request in hand: what its application was made of, and the files sent."""

from __future__ import annotations

from typing import Final, cast
from urllib.parse import quote

from flask import Response, current_app, g, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from signal_bridge.clientaddress import client_of
from signal_bridge.spool.spool import Spool
from signal_bridge.web.bridge import Bridge
from signal_bridge.web.description.served import Description

# What may stand in a path (RFC 3986, section 3.3) where no character is to be quoted for nothing.
_OF_PATHS: Final = "/$&+,:;=@"
_VISIBLE_ASCII: Final = bytes(range(0x21, 0x7F))


def bridge() -> Bridge:
    """The bridge of the application that serves this request."""
    return cast(Bridge, current_app.extensions["bridge"])


def client() -> str:
    """Whose this request is, for counting; behind a trusted proxy, whom that was called by."""
    return client_of(
        request.environ.get("REMOTE_ADDR", ""),
        request.environ.get("HTTP_X_FORWARDED_FOR", ""),
        bridge().settings.trusted_proxies,
    )


def head_alone(content_type: str) -> Response | None:
    """The answer to a HEAD where a GET would do something: its kind, and nothing is done.

    None for any other method.
    """
    return Response(iter(()), content_type=content_type) if request.method == "HEAD" else None


def moved(path: str, status: int) -> AnyResponse:
    """The answer that sends the client to another path, a decoded one. The query stays as it is."""
    query = quote(request.query_string, safe=_VISIBLE_ASCII)
    return redirect(quote(path, safe=_OF_PATHS) + (f"?{query}" if query else ""), status)


def description() -> Description:
    """The description of the routes that this application serves."""
    return cast(Description, current_app.extensions["description"])


def spool() -> Spool:
    """The files of this request; they are removed when it is over, whatever happens."""
    if "spool" not in g:
        g.spool = Spool(bridge().room, client(), bridge().settings.max_attachment_bytes)
    return cast(Spool, g.spool)
