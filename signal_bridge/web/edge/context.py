"""What belongs to the request in hand: what its application was made of, and the files sent."""

from __future__ import annotations

from typing import cast

from flask import Response, current_app, g, request

from signal_bridge.spool.spool import Spool
from signal_bridge.web.bridge import Bridge
from signal_bridge.web.description.served import Description


def bridge() -> Bridge:
    """The bridge of the application that serves this request."""
    return cast(Bridge, current_app.extensions["bridge"])


def head_alone(content_type: str) -> Response | None:
    """The answer to a HEAD where a GET would do something: its kind, and nothing is done.

    None for any other method.
    """
    return Response(iter(()), content_type=content_type) if request.method == "HEAD" else None


def description() -> Description:
    """The description of the routes that this application serves."""
    return cast(Description, current_app.extensions["description"])


def spool() -> Spool:
    """The files of this request; they are removed when it is over, whatever happens."""
    if "spool" not in g:
        settings = bridge().settings
        g.spool = Spool(settings.uploads_dir, settings.max_attachment_bytes)
    return cast(Spool, g.spool)
