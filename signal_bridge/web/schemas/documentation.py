"""Answers of the routes of the description."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.schemas.answers import free

OPENAPI: Final = free({"openapi": "3.1.0"})
