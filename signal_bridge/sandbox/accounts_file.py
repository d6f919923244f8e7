"""`<config>/data/accounts.json`, as signal-cli keeps it (signal-cli.rst 4.2).

The sandbox never touches the data of a real signal-cli: it starts only where there are no accounts,
or where its own mark says that they were invented.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import logging
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO, Final

from signal_bridge.sandbox.account_data import Account
from signal_bridge.sandbox.errors import StartFailure

LOCK_POLL_SECONDS: Final = 0.1

_log = logging.getLogger("SignalAccount")


class AccountsFile:
    """The list of accounts on disk."""

    def __init__(self, config: Path) -> None:
        self._directory = config / "data"
        self._path = self._directory / "accounts.json"
        self._mark = self._directory / "accounts-are-of-the-sandbox"
        self._lock: BinaryIO | None = None

    async def claim(self) -> None:
        """Make sure that the directory is ours, mark it, and wait until nobody else uses it."""
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self._mark.exists() and self._has_accounts():
                raise StartFailure(1, f"{self._directory} belongs to a real signal-cli")
            self._mark.touch(mode=0o600)
            self._lock = self._mark.open("rb")
        except OSError:
            raise StartFailure(3, "Failed to read local accounts list") from None
        if not self._try_lock():
            _log.info("Config file is in use by another instance, waiting…")
            while not self._try_lock():  # noqa: ASYNC110 - a file lock announces nothing
                await asyncio.sleep(LOCK_POLL_SECONDS)
            _log.info("Config file lock acquired.")

    def write(self, accounts: Iterable[Account]) -> None:
        """Replace the file in one step, so that a reader sees the old list or the new one."""
        content = {"accounts": [_entry(each) for each in accounts], "version": 2}
        draft = self._path.with_suffix(".tmp")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(content, indent=2))
        draft.replace(self._path)

    def _try_lock(self) -> bool:
        """The lock is ours now. It ends with the process."""
        if self._lock is None:
            return False
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        return False

    def _has_accounts(self) -> bool:
        with contextlib.suppress(FileNotFoundError):
            try:
                return bool(json.loads(self._path.read_bytes())["accounts"])
            except (ValueError, KeyError, TypeError):
                raise StartFailure(3, "Failed to load local accounts file") from None
        return False


def _entry(account: Account) -> dict[str, Any]:
    path = 100_000 + zlib.crc32(account.number.encode()) % 900_000
    return {
        "path": str(path),
        "environment": "LIVE",
        "number": account.number,
        "uuid": account.person.aci,
    }
