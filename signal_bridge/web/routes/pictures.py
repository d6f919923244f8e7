"""Answers that are a picture: avatars of groups and contacts."""

from __future__ import annotations

from flask import Response

from signal_bridge.signalcli.sniffing import HEAD_BYTES, sniff_content_type


def picture(data: bytes) -> Response:
    """An answer that is the picture itself, with a Content-Type told from what it holds."""
    response = Response(data, content_type=sniff_content_type(data[:HEAD_BYTES]))
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
