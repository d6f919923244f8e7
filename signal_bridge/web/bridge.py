"""What the routes work with. It knows no Flask, so that building it loads none."""

from __future__ import annotations

import dataclasses

from signal_bridge.delivery.webhooks.registry import Registry
from signal_bridge.delivery.webhooks.trials import Trials
from signal_bridge.feed.account_book import AccountBook
from signal_bridge.feed.cursors import Cursors
from signal_bridge.feed.feed import Feed
from signal_bridge.session.gateway import Gateway
from signal_bridge.session.link_book import LinkBook
from signal_bridge.session.listing import Listing
from signal_bridge.settings import Settings
from signal_bridge.spool.room import Room
from signal_bridge.store.leases import Leases
from signal_bridge.store.status import StatusBoard
from signal_bridge.web.streams import StreamPlaces, Turns


@dataclasses.dataclass(frozen=True)
class Bridge:
    """The rooms below, put together by compose.py."""

    settings: Settings
    gateway: Gateway
    links: LinkBook
    listing: Listing
    feed: Feed
    accounts: AccountBook
    cursors: Cursors
    board: StatusBoard
    leases: Leases
    node: str  # this bridge's name; empty where the data directory is not at hand
    room: Room
    streams: StreamPlaces
    webhooks: Registry
    trials: Trials
    turns: Turns = dataclasses.field(default_factory=Turns)
