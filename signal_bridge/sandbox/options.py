"""The command line: the sandbox's own flags, and signal-cli's, as far as a daemon needs it.

signal-cli's are those of the version that is imitated (signal-cli.rst 4.1). The sandbox's own
may stand anywhere among them; signal-cli has none of these names.
"""

from __future__ import annotations

import argparse
import enum
import math
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NoReturn

from signal_bridge.sandbox.errors import StartFailure
from signal_bridge.sandbox.versions import DEFAULT, VERSIONS, Version

_DAEMON_FLAGS: Final = (
    "--ignore-attachments",
    "--ignore-stories",
    "--send-read-receipts",
    "--no-receive-stdout",
)


class ReceiveMode(enum.Enum):
    """When messages are taken from the server (signal-cli.rst 1.7)."""

    ON_START = "on-start"
    ON_CONNECTION = "on-connection"
    MANUAL = "manual"


@dataclass(frozen=True)
class Troubles:
    """What is to go wrong with the network. Times are in seconds since the start.

    Nobody is reached for the first `offline_seconds`. An account of `unloadable` cannot be loaded
    until its time has come. An `outdated` version is refused by the server.
    """

    offline_seconds: float = 0.0
    unloadable: Mapping[str, float] = field(default_factory=dict)
    outdated: bool = False


@dataclass(frozen=True)
class Options:
    """What one run was asked for."""

    config: Path
    version: Version = VERSIONS[DEFAULT]
    troubles: Troubles = field(default_factory=Troubles)
    account: str | None = None
    socket: Path | None = None
    tcp: str | None = None
    receive_mode: ReceiveMode = ReceiveMode.ON_START
    trust_new_identities: str = "on-first-use"
    ignore_attachments: bool = False
    ignore_stories: bool = False
    send_read_receipts: bool = False
    verbosity: int = 0
    log_file: Path | None = None
    scrub_log: bool = False
    only_version: bool = False


def parse(argv: Sequence[str]) -> Options:
    """Read the command line. Anything unknown raises `StartFailure` with usage and exit code 1."""
    own, rest = _own_parser().parse_known_args(argv)
    version = VERSIONS[own.as_version]
    values = _parser(version).parse_args(rest)
    if values.command != "daemon" and not values.version:
        _global_parser(version).error("too few arguments")
    return Options(
        config=Path(values.config or _data_home() / "signal-cli"),
        version=version,
        troubles=Troubles(own.offline_for, dict(own.unloadable), own.outdated),
        account=values.account,
        socket=_optional_path(getattr(values, "socket", None)),
        tcp=getattr(values, "tcp", None),
        receive_mode=ReceiveMode(getattr(values, "receive_mode", "on-start")),
        trust_new_identities=values.trust_new_identities,
        ignore_attachments=getattr(values, "ignore_attachments", False),
        ignore_stories=getattr(values, "ignore_stories", False),
        send_read_receipts=getattr(values, "send_read_receipts", False),
        verbosity=values.verbose,
        log_file=_optional_path(values.log_file),
        scrub_log=values.scrub_log,
        only_version=values.version,
    )


class _Parser(argparse.ArgumentParser):
    """Fails the way signal-cli's parser does: usage on stderr and exit code 1."""

    def error(self, message: str) -> NoReturn:
        raise StartFailure(1, f"{self.format_usage()}signal-cli: error: {message}")


def _own_parser() -> _Parser:
    parser = _Parser(prog="signal-cli", allow_abbrev=False, add_help=False)
    parser.add_argument("--as", dest="as_version", choices=VERSIONS, default=DEFAULT)
    parser.add_argument("--offline-for", type=_seconds, default=0.0, metavar="SECONDS")
    parser.add_argument(
        "--unloadable", type=_unloadable, action="append", default=[], metavar="NUMBER[=SECONDS]"
    )
    parser.add_argument("--outdated", action="store_true")
    return parser


def _global_parser(version: Version) -> _Parser:
    parser = _Parser(prog="signal-cli", allow_abbrev=False)
    parser.add_argument("--version", action="store_true")
    parser.add_argument("-v", "--verbose", action="count", default=0)
    parser.add_argument("--log-file")
    parser.add_argument("--scrub-log", action="store_true")
    parser.add_argument(*version.data_directory_flags, dest="config")
    parser.add_argument("-a", "--account")
    parser.add_argument("-o", "--output", choices=["plain-text", "json"])
    parser.add_argument("--service-environment", choices=version.service_environments)
    choices = ["always", "on-first-use", "never"]
    parser.add_argument("--trust-new-identities", choices=choices, default="on-first-use")
    parser.add_argument("--disable-send-log", action="store_true")
    return parser


def _parser(version: Version) -> _Parser:
    parser = _global_parser(version)
    commands = parser.add_subparsers(dest="command")
    daemon = commands.add_parser("daemon", prog="signal-cli daemon", allow_abbrev=False)
    daemon.add_argument("--socket", nargs="?", const=str(_runtime_dir() / "signal-cli" / "socket"))
    daemon.add_argument("--tcp", nargs="?", const="localhost:7583")
    modes = [mode.value for mode in ReceiveMode]
    daemon.add_argument("--receive-mode", choices=modes, default="on-start")
    for flag in (*_DAEMON_FLAGS, *version.daemon_flags):
        daemon.add_argument(flag, action="store_true")
    return parser


def _seconds(text: str) -> float:
    """Raises ValueError, which the parser makes its own refusal of."""
    value = float(text)
    if not 0 <= value < math.inf:
        raise ValueError(text)
    return value


def _unloadable(text: str) -> tuple[str, float]:
    """`NUMBER`, for ever, or `NUMBER=SECONDS`."""
    number, given, seconds = text.partition("=")
    return number, _seconds(seconds) if given else math.inf


def _optional_path(value: str | None) -> Path | None:
    return None if value is None else Path(value)


def _data_home() -> Path:
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")


def _runtime_dir() -> Path:
    return Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
