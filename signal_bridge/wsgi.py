"""One Gunicorn worker's application: `gunicorn --config python:… signal_bridge.wsgi:app`.

Loaded before the fork, so that workers share its memory. Nothing here opens a connection or
starts a thread: the first request does.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from signal_bridge.delivery.webhooks.addresses import Rules
from signal_bridge.delivery.webhooks.registry import Registry
from signal_bridge.errors import RateLimited, Refused, StoreError
from signal_bridge.feed.account_book import AccountBook
from signal_bridge.feed.cursors import Cursors
from signal_bridge.feed.feed import Feed
from signal_bridge.feed.own import own_event
from signal_bridge.session.gateway import Gateway
from signal_bridge.session.link_book import LinkBook
from signal_bridge.session.linker import Linker
from signal_bridge.settings import read_settings
from signal_bridge.signalcli.call import Call
from signal_bridge.signalcli.refusals import challenge_tokens, retry_after_seconds
from signal_bridge.store.engine import Store
from signal_bridge.store.leases import Leases
from signal_bridge.store.status import StatusBoard
from signal_bridge.store.tenure import read_node_name
from signal_bridge.web.edge.app import create_app
from signal_bridge.web.edge.context import Bridge
from signal_bridge.web.streams import StreamPlaces

log = logging.getLogger(__name__)

_settings = read_settings()
_store = Store(_settings.database_url)
_board = StatusBoard(_store)
_feed = Feed(_store)


def _tell_rate_limit(call: Call, error: Refused) -> None:
    """A rate limit concerns more than the one who ran into it."""
    if not isinstance(error, RateLimited):
        return
    params = call.params if isinstance(call.params, Mapping) else {}
    account = str(params.get("account", ""))
    detail = {
        "method": call.method,
        "retry_after": retry_after_seconds(error),
        "challenge_tokens": challenge_tokens(error),
    }
    try:
        _feed.append([own_event("account.rate_limited", account, **detail)])
    except StoreError as store_error:
        log.warning("a rate limit cannot be told in the feed: %s", store_error)


_gateway = Gateway(_settings, _board, on_refusal=_tell_rate_limit)
bridge = Bridge(
    settings=_settings,
    gateway=_gateway,
    links=LinkBook(_store, Linker(_gateway)),
    feed=_feed,
    accounts=AccountBook(_store, _feed),
    cursors=Cursors(_store),
    board=_board,
    leases=Leases(_store),
    node=read_node_name(_settings.node_path),
    streams=StreamPlaces(_settings.threads),
    webhooks=Registry(_store, Rules(_settings.webhook_allow, _settings.webhook_deny)),
)
app = create_app(bridge)
