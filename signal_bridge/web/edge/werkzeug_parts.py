"""What Werkzeug does not document and the edge needs all the same. All of it is here.

Read from Werkzeug 3.1.9. `tests/web/test_werkzeug_parts.py` fails when another version is
installed, or when this has another shape: then read it again in the new one.

    MapAdapter.websocket    which paths are looked for: those of WebSockets, or all others
    MultipartDecoder        a form in pieces: Werkzeug's parser does not say which limit it broke
"""

from __future__ import annotations

from typing import Any, Final

from werkzeug.routing import Map, MapAdapter
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

__all__ = [
    "READ_FROM",
    "Data",
    "Epilogue",
    "Field",
    "File",
    "MultipartDecoder",
    "NeedData",
    "PathMap",
]

READ_FROM: Final = "3.1.9"


class PathMap(Map):
    """Finds the path of a request whether or not it asks for an upgrade to WebSocket.

    Werkzeug would look for a rule of WebSockets alone, of which there are none: one view serves
    both kinds of request.
    """

    def bind_to_environ(self, *arguments: Any, **options: Any) -> MapAdapter:
        """As Werkzeug's, for an adapter that looks for paths alone."""
        adapter = super().bind_to_environ(*arguments, **options)
        adapter.websocket = False
        return adapter
