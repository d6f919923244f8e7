"""Pictures of people and groups: on their way to signal-cli, and on their way to a client."""

from __future__ import annotations

from flask import Response

from signal_bridge.signalcli.attachments import avatar_extension, decode_avatar
from signal_bridge.signalcli.filetypes import HEAD_BYTES, sniff_content_type
from signal_bridge.web.edge.context import uploads


def avatar_file(text: str) -> str:
    """The path of the picture in `base64_avatar`. Raises RequestError or StoreError."""
    picture = decode_avatar(text)
    return str(uploads().save_avatar(picture, avatar_extension(picture[:HEAD_BYTES])))


def picture(data: bytes) -> Response:
    """An answer that is the picture itself, with a Content-Type told from what it holds."""
    response = Response(data, content_type=sniff_content_type(data[:HEAD_BYTES]))
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
