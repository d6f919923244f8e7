"""What belongs to the request in hand: the application's `Bridge`, and the files sent along."""

from __future__ import annotations

from typing import cast

from flask import current_app, g

from signal_bridge.web.bridge import Bridge
from signal_bridge.web.edge.uploads import Uploads


def bridge() -> Bridge:
    """The bridge of the application that serves this request."""
    return cast(Bridge, current_app.extensions["bridge"])


def uploads() -> Uploads:
    """The files of this request; they are removed when it is over, whatever happens."""
    if "uploads" not in g:
        settings = bridge().settings
        g.uploads = Uploads(settings.uploads_dir, settings.max_attachment_bytes)
    return cast(Uploads, g.uploads)
