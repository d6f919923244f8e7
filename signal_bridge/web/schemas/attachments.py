"""Answers of the routes of received files."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.schemas.answers import many, text
from signal_bridge.web.schemas.examples import ATTACHMENT

NAMES: Final = many(text(ATTACHMENT))
