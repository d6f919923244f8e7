"""One Gunicorn worker's application: `gunicorn --config python:… signal_bridge.wsgi:app`.

Gunicorn asks for `app` once, before it forks, so that workers share its memory. It opens no
connection and starts no thread: the first request does.
"""

from __future__ import annotations

import functools
from typing import Any
from wsgiref.types import WSGIApplication

from signal_bridge import compose
from signal_bridge.settings import read_settings
from signal_bridge.web.app import create_app
from signal_bridge.web.bridge import Bridge


@functools.cache
def bridge() -> Bridge:
    """What the application of this process works with. Raises SettingError."""
    return compose.web_bridge(read_settings())


@functools.cache
def application() -> WSGIApplication:
    """The application of this process, made when it is asked for. Raises SettingError."""
    return create_app(bridge())


def __getattr__(name: str) -> Any:
    """`app`, as Gunicorn reads it: not made by an import alone."""
    if name == "app":
        return application()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
