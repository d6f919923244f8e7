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


# Up to warnings these quote URLs with their queries, heads of answers and parameters of SQL.
_QUOTING: Final = ("urllib3", "requests", "sqlalchemy", "wsproto", "werkzeug")


def start_logging(level: str) -> None:
    """Log to standard error, and `log_at` this level."""
    logging.basicConfig(format=FORMAT)
    log_at(level)


def log_at(level: str) -> None:
    """Log at `level` (a word of LOG_LEVEL) and above from now on.

    Modules that are not ours stay at `others_level`: what they tell of their work is made of what
    they work on.
    """
    logging.getLogger().setLevel(others_level(level))
    logging.getLogger(__package__).setLevel(LEVELS[level])
    for name in _QUOTING:
        logging.getLogger(name).setLevel(logging.ERROR)


def others_level(level: str) -> int:
    """The level of a module that is not ours when ours log at `level`."""
    return max(LEVELS[level], logging.INFO)
