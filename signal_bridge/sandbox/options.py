"""signal-cli's command line, as far as a daemon needs it (signal-cli.rst 4.1)."""

from __future__ import annotations

import argparse
import enum
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

from signal_bridge.sandbox.errors import StartFailure

VERSION: Final = "0.13.19"


class ReceiveMode(enum.Enum):
    """When messages are taken from the server (signal-cli.rst 1.7)."""

    ON_START = "on-start"
    ON_CONNECTION = "on-connection"
    MANUAL = "manual"


@dataclass(frozen=True)
class Options:
    """What one run was asked for."""

    config: Path
    account: str | None = None
    socket: Path | None = None
    tcp: str | None = None
    receive_mode: ReceiveMode = ReceiveMode.ON_START
    trust_new_identities: str = "on-first-use"
    ignore_attachments: bool = False
    send_read_receipts: bool = False
    verbosity: int = 0
    log_file: Path | None = None
    scrub_log: bool = False
    only_version: bool = False


def parse(argv: Sequence[str]) -> Options:
    """Read the command line. Anything unknown raises `StartFailure` with usage and exit code 1."""
    values = _parser().parse_args(argv)
    if values.command != "daemon" and not values.version:
        _global_parser().error("too few arguments")
    return Options(
        config=Path(values.config or _data_home() / "signal-cli"),
        account=values.account,
        socket=_optional_path(getattr(values, "socket", None)),
        tcp=getattr(values, "tcp", None),
        receive_mode=ReceiveMode(getattr(values, "receive_mode", "on-start")),
        trust_new_identities=values.trust_new_identities,
        ignore_attachments=getattr(values, "ignore_attachments", False),
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


def _global_parser() -> _Parser:
    parser = _Parser(prog="signal-cli", allow_abbrev=False)
    parser.add_argument("--version", action="store_true")
    parser.add_argument("-v", "--verbose", action="count", default=0)
    parser.add_argument("--log-file")
    parser.add_argument("--scrub-log", action="store_true")
    parser.add_argument("-c", "--config")
    parser.add_argument("-a", "--account")
    parser.add_argument("-o", "--output", choices=["plain-text", "json"])
    parser.add_argument("--service-environment", choices=["live", "staging", "sandbox"])
    choices = ["always", "on-first-use", "never"]
    parser.add_argument("--trust-new-identities", choices=choices, default="on-first-use")
    parser.add_argument("--disable-send-log", action="store_true")
    return parser


def _parser() -> _Parser:
    parser = _global_parser()
    commands = parser.add_subparsers(dest="command")
    daemon = commands.add_parser("daemon", prog="signal-cli daemon", allow_abbrev=False)
    daemon.add_argument("--socket", nargs="?", const=str(_runtime_dir() / "signal-cli" / "socket"))
    daemon.add_argument("--tcp", nargs="?", const="localhost:7583")
    modes = [mode.value for mode in ReceiveMode]
    daemon.add_argument("--receive-mode", choices=modes, default="on-start")
    daemon.add_argument("--ignore-attachments", action="store_true")
    daemon.add_argument("--send-read-receipts", action="store_true")
    for accepted in ("no-receive-stdout", "ignore-stories", "ignore-avatars", "ignore-stickers"):
        daemon.add_argument(f"--{accepted}", action="store_true")
    return parser


def _optional_path(value: str | None) -> Path | None:
    return None if value is None else Path(value)


def _data_home() -> Path:
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")


def _runtime_dir() -> Path:
    return Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
