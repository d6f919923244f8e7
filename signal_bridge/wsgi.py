"""One Gunicorn worker's application: `gunicorn --config python:… signal_bridge.wsgi:app`.

Loaded before the fork, so that workers share its memory. Nothing here opens a connection or
starts a thread: the first request does.
"""

from __future__ import annotations

from signal_bridge.inbox.cursors import Cursors
from signal_bridge.inbox.store import Inbox
from signal_bridge.settings import read_settings
from signal_bridge.signalcli.gateway import Gateway
from signal_bridge.signalcli.linking import Linker
from signal_bridge.store.engine import Store
from signal_bridge.store.status import StatusBoard
from signal_bridge.web.app import create_app
from signal_bridge.web.context import Bridge
from signal_bridge.web.streams import StreamPlaces

_settings = read_settings()
_store = Store(_settings.database_url)
_board = StatusBoard(_store)
_gateway = Gateway(_settings, _board)
bridge = Bridge(
    settings=_settings,
    gateway=_gateway,
    linker=Linker(_gateway),
    inbox=Inbox(_store),
    cursors=Cursors(_store),
    board=_board,
    streams=StreamPlaces(_settings.threads),
)
app = create_app(bridge)
