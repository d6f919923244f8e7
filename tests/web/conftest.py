"""An application over stubs, for the parts of the edge that need a request around them."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
from flask import Flask, g

from signal_bridge.settings import Settings, read_settings
from signal_bridge.spool.disks import Disks
from signal_bridge.spool.room import Room
from signal_bridge.web.app import _finish
from signal_bridge.web.bridge import Bridge
from signal_bridge.web.edge import problems


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return read_settings(
        {
            "SIGNAL_CLI_CONFIG_DIR": str(tmp_path),
            "BRIDGE_SIGNAL_CLI_RPC": "unix:/nonexistent",
            "BRIDGE_MAX_BODY_BYTES": "1000000",
            "BRIDGE_MAX_ATTACHMENT_BYTES": "100000",
        }
    )


class _Stub:
    """Only what uploads need is there; anything else would be a mistake of the test."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.room = Room(settings.uploads_dir, settings.spool_bytes, Disks({}, 0))


@pytest.fixture
def app(settings: Settings) -> Flask:
    app = Flask("test")
    app.extensions["bridge"] = cast(Bridge, _Stub(settings))
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    problems.install(app)

    @app.before_request
    def _begin() -> None:
        g.request_id, g.began = "the-id", 0.0

    app.after_request(_finish)
    return app
