"""The description as it is served: each form of it is made for the first who asks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import orjson

from signal_bridge.web.description.swagger2 import swagger_document
from signal_bridge.web.route import Route


class Description:
    """The description of some routes, as JSON. Safe from any thread."""

    def __init__(self, routes: Sequence[Route], swagger_version: str) -> None:
        self._routes = routes
        self._swagger_version = swagger_version

    def openapi(self) -> bytes:
        """OpenAPI 3.1."""
        return self._openapi

    def swagger(self) -> bytes:
        """Swagger 2.0, for the peer's users; the API calls itself `swagger_version` there."""
        return self._swagger

    @cached_property
    def _swagger(self) -> bytes:
        return orjson.dumps(swagger_document(self._document, self._swagger_version))

    @cached_property
    def _openapi(self) -> bytes:
        return orjson.dumps(self._document)

    @cached_property
    def _document(self) -> dict[str, Any]:
        # 15 ms of every start would go to apispec, which most bridges never need.
        from signal_bridge.web.description.document import document

        return document(self._routes)
