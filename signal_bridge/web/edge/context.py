"""What the routes work with: one `Bridge` per application, and what belongs to one request."""

from __future__ import annotations

import dataclasses
from typing import cast

from flask import current_app, g

from signal_bridge.delivery.webhooks.registry import Registry
from signal_bridge.feed.account_book import AccountBook
from signal_bridge.feed.cursors import Cursors
from signal_bridge.feed.feed import Feed
from signal_bridge.session.gateway import Gateway
from signal_bridge.session.link_book import LinkBook
from signal_bridge.settings import Settings
from signal_bridge.store.leases import Leases
from signal_bridge.store.status import StatusBoard
from signal_bridge.web.edge.uploads import Uploads
from signal_bridge.web.streams import StreamPlaces


@dataclasses.dataclass(frozen=True)
class Bridge:
    """The rooms below, put together by wsgi.py."""

    settings: Settings
    gateway: Gateway
    links: LinkBook
    feed: Feed
    accounts: AccountBook
    cursors: Cursors
    board: StatusBoard
    leases: Leases
    node: str  # this bridge's name; empty where the data directory is not at hand
    streams: StreamPlaces
    webhooks: Registry


def bridge() -> Bridge:
    """The bridge of the application that serves this request."""
    return cast(Bridge, current_app.extensions["bridge"])


def uploads() -> Uploads:
    """The files of this request; they are removed when it is over, whatever happens."""
    if "uploads" not in g:
        settings = bridge().settings
        g.uploads = Uploads(settings.uploads_dir, settings.max_attachment_bytes)
    return cast(Uploads, g.uploads)
