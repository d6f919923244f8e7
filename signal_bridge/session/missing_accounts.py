"""The accounts that a worker must not ask signal-cli for, since it has not loaded them.

signal-cli 0.14 would try to load one at once, and hold up the calls of every other account
meanwhile; then it would say that there is no such account, and a client drops its message. So the
bridge says what is so: not now. Who has signal-cli try is the daemon process (account_watch.py).

It writes what it finds into the account book and rings a bell; each worker reads the few that are
missing then, off the path of any call.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from signal_bridge.errors import (
    AccountNotLoaded,
    AccountUnlinked,
    BridgeError,
    Refused,
    StoreError,
    UnknownAccount,
)
from signal_bridge.feed.account_book import (
    MISSING,
    UNLINKED,
    AccountBook,
    compare,
    read_disk,
)
from signal_bridge.rpc.jsonrpc import Reply
from signal_bridge.signalcli.call import Call
from signal_bridge.signalcli.loading import needed_account
from signal_bridge.store.status import StatusBoard

log = logging.getLogger(__name__)

BOOK: Final = "accounts"
"""The part of the status board that says whether the daemon process knows the accounts."""
KNOWN: Final = "known"
UNKNOWN: Final = "unknown"

# A daemon process that was not heard of for so long knows nothing any more. It waits for signal-cli
# for ten seconds and more while an account is loaded.
_LONGEST_SILENCE_SECONDS: Final = 60.0
# What is read by thread bells every few seconds is old when that cannot read.
_OLDEST_READING_SECONDS: Final = 15.0
# So long the book may not know yet of an account that this process has just brought in.
_NOT_NOTED_YET_SECONDS: Final = 10.0

# What Signal says of an account's own credentials: 401 or 403.
_LOGGED_OUT: Final = "AuthorizationFailedException"
_UNLINKED: Final = (
    "This account is not linked any more: Signal or its owner has logged it out, or it was deleted."
    " Link it again (GET /v1/qrcodelink?device_name=…) or register it again"
)


class MissingAccounts:
    """Knows who is missing. Safe from any thread.

    `reasons` has the missing accounts; while it is empty, nothing else has to be asked.
    """

    def __init__(self, book: AccountBook, board: StatusBoard, config_dir: Path) -> None:
        self._book = book
        self._board = board
        self._config_dir = config_dir
        # By number. Replaced as a whole, never changed.
        self.reasons: Mapping[str, str] = {}
        self._read_at = 0.0
        self.is_listening = False
        # Guards _came, and the replacing of `reasons`.
        self._mutex = threading.Lock()
        # Accounts that a call of this process has brought in, and when.
        self._came: dict[str, float] = {}

    def listen(self) -> None:
        """Read who is missing, and again whenever that changes. Once is enough; never raises."""
        self.is_listening = True
        with contextlib.suppress(StoreError):  # thread bells tries again, and says what is wrong
            self.read()
        self._book.on_change(self.read)

    def read(self) -> None:
        """Raises StoreError."""
        missing = self._book.missing()
        if missing and not self._is_book_known():
            missing = {}
        now = time.monotonic()
        with self._mutex:
            self._came = {
                number: came
                for number, came in self._came.items()
                if now - came < _NOT_NOTED_YET_SECONDS
            }
            self.reasons = {n: why for n, why in missing.items() if n not in self._came}
            self._read_at = now

    def refuse(self, call: Call) -> None:
        """Raises AccountNotLoaded when `call` is about one that is missing.

        Nobody is refused by what was true a moment ago: before that, it is read again.
        """
        number = needed_account(call) or ""
        if number not in self.reasons:
            return
        with contextlib.suppress(StoreError):
            self.read()
        why = self.reasons.get(number)
        if why is not None and time.monotonic() - self._read_at < _OLDEST_READING_SECONDS:
            raise _not_loaded(why)

    def learn(self, call: Call, reply: Reply) -> None:
        """An account that `call` has linked or registered is there from now on."""
        if reply.error is not None or call.method not in ("verify", "finishLink"):
            return
        number = _brought_in(call, reply)
        with self._mutex:
            self._came[number] = time.monotonic()
            self.reasons = {n: why for n, why in self.reasons.items() if n != number}

    def explain(self, call: Call, error: Refused) -> BridgeError:
        """What it means for who asked that signal-cli knows no such account, or Signal none."""
        number = needed_account(call)
        if number is None:
            return error
        if _LOGGED_OUT in error.java_classes:  # it will be gone from signal-cli's list in a moment
            return AccountUnlinked(_UNLINKED, error.rpc_code, error.data, error.java_classes)
        if not isinstance(error, UnknownAccount):
            return error
        try:
            return self._explain(number, error)
        except StoreError as store_error:
            log.warning("whether an account is known cannot be read: %s", store_error)
            return error

    def _explain(self, number: str, error: UnknownAccount) -> BridgeError:
        """By the rule that the watch will go by at its next look."""
        known = {n: state for n, state in self._book.states().items() if n == number}
        changed = compare(known, frozenset(), read_disk(self._config_dir))
        state = {**known, **changed}.get(number)
        if state == MISSING:
            return _not_loaded(self._book.missing().get(number, "signal-cli has not loaded it"))
        if state == UNLINKED:
            return AccountUnlinked(_UNLINKED, error.rpc_code, error.data)
        return error

    def _is_book_known(self) -> bool:
        status = self._board.all().get(BOOK)
        return (
            status is not None
            and status.state == KNOWN
            and status.age_seconds() < _LONGEST_SILENCE_SECONDS
        )


def _not_loaded(why: str) -> AccountNotLoaded:
    return AccountNotLoaded(f"This account cannot be used now: {why}. Ask again in a few seconds")


def _brought_in(call: Call, reply: Reply) -> str:
    said, key = (call.params, "account") if call.method == "verify" else (reply.result, "number")
    return str(said.get(key)) if isinstance(said, Mapping) else ""
