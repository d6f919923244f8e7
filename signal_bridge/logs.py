"""Logging, the same in every process: one line each, to standard error.

Never a message text, never a secret: whoever logs passes only what may be read by an operator.
"""

from __future__ import annotations

import logging
from typing import Final

LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
}
FORMAT: Final = "%(asctime)s %(levelname)-7s %(name)s [%(threadName)s] %(message)s"


def start_logging(level: str) -> None:
    """Log at `level` (a word of LOG_LEVEL) and above."""
    logging.basicConfig(level=LEVELS[level], format=FORMAT)
