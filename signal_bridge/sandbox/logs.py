"""The log on stderr and in `--log-file`, laid out as signal-cli lays it out (signal-cli.rst 4.1).

What people write to each other is never logged.
"""

from __future__ import annotations

import logging
import re
import sys
from pathlib import Path
from typing import Final

from signal_bridge.sandbox.options import Options

BANNER: Final = "Sandbox"
_SHORT: Final = "%(levelname)-5s %(name)s - %(message)s"
_LONG: Final = "%(asctime)s.%(msecs)03dZ [%(threadName)s] %(levelname)-5s %(name)s - %(message)s"
_DATE: Final = "%Y-%m-%dT%H:%M:%S"
_SECRET: Final = re.compile(r"\+\d{4,}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def set_up(options: Options) -> None:
    """Send all that is logged where the command line says.

    Raises OSError for a bad `--log-file`.
    """
    logging.addLevelName(logging.WARNING, "WARN")
    level = logging.DEBUG if options.verbosity else logging.INFO
    handlers = [_stderr(level, detailed=options.verbosity > 0 and not options.log_file)]
    if options.log_file:
        handlers = [_stderr(logging.INFO, detailed=False), _file(options.log_file, level)]
    for handler in handlers:
        if options.scrub_log:
            handler.addFilter(_scrub)
    logging.basicConfig(level=level, handlers=handlers, force=True)


def _stderr(level: int, detailed: bool) -> logging.Handler:
    handler = logging.StreamHandler(sys.stderr)
    handler.setLevel(level)
    handler.setFormatter(logging.Formatter(_LONG if detailed else _SHORT, _DATE))
    return handler


def _file(path: Path, level: int) -> logging.Handler:
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setLevel(level)
    handler.setFormatter(logging.Formatter(_LONG, _DATE))
    return handler


def _scrub(record: logging.LogRecord) -> bool:
    if record.name == BANNER:
        return True  # the numbers in it are nobody's
    record.msg = _SECRET.sub("*", record.getMessage())
    record.args = ()
    return True
