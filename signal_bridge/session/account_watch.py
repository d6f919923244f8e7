"""Notices accounts that signal-cli has not loaded, and has it load them.

One whose start-up check failed (no network at boot) is left out (signal-cli.rst 0.7, 2.9). It is
tried again, and signal-cli is started anew if that does not help: loading.py says when. One that
was logged out needs its owner.
"""

from __future__ import annotations

import dataclasses
import logging
import math
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from signal_bridge.errors import BridgeError
from signal_bridge.feed.account_book import UNLINKED, AccountBook, read_disk
from signal_bridge.session.linker import Linker, log_qr
from signal_bridge.session.loading import Efforts, Restart, Try

log = logging.getLogger(__name__)

# Linking or registering writes an account to disk seconds before signal-cli lists it.
_SETTLE_SECONDS: Final = 20.0


@dataclasses.dataclass(frozen=True)
class Remedies:
    """What can be done about an account that is missing.

    `load(number)` has signal-cli try it, and raises BridgeError when it could not; `restart(why)`
    has signal-cli started anew, None when it is somebody else's; `why()` is what it says of its
    last failure, without an account in it, empty when it is not known.
    """

    load: Callable[[str], object]
    restart: Callable[[str], None] | None
    why: Callable[[], str]


class AccountWatch:
    """Looks at the list of accounts every few seconds, on one thread.

    A thread `load-account` has signal-cli try one, while there is one to be tried. When there is
    no account at all, the log shows once how to link one.
    """

    def __init__(
        self, book: AccountBook, config_dir: Path, remedies: Remedies, linker: Linker
    ) -> None:
        self._book = book
        self._config_dir = config_dir
        self._remedies = remedies
        self._linker: Linker | None = linker
        self._efforts = Efforts()
        # The try that is under way, or has ended since the last look.
        self._trying: threading.Thread | None = None
        self._why = ""
        self._logged: tuple[int, bool] = (0, False)
        self._first_seen: dict[str, float] | None = None

    def look(self, listed: frozenset[str]) -> bool:
        """Compare with what is known and on disk, and do what is due. Raises StoreError.

        Whether another look soon may find an account loaded.
        """
        known = self._book.states()
        on_disk = read_disk(self._config_dir, listed)
        settled = self._settled_accounts(known, on_disk)
        why = self._remedies.why() or self._why
        missing = self._book.update(known, listed, settled, why)
        if not (listed or missing or any((on_disk or {}).values())):
            self._show_link()
        self._explain(missing, why)
        self._see_to(missing, bool(listed), time.monotonic())
        return self._trying is not None

    def _settled_accounts(
        self, known: Mapping[str, str], on_disk: dict[str, bool] | None
    ) -> dict[str, bool] | None:
        """Without those that are new on disk and may still be on their way into the list.

        What is there at the first look is on no way: signal-cli has just come up.
        """
        if on_disk is None:
            return None
        now = time.monotonic()
        earlier = (
            dict.fromkeys(on_disk, -math.inf) if self._first_seen is None else self._first_seen
        )
        self._first_seen = {
            n: earlier.get(n, now) for n, registered in on_disk.items() if registered
        }
        return {
            number: registered
            for number, registered in on_disk.items()
            if known.get(number, UNLINKED) != UNLINKED
            or now - self._first_seen.get(number, -math.inf) >= _SETTLE_SECONDS
        }

    def _show_link(self) -> None:
        linker, self._linker = self._linker, None
        if linker is not None:
            linker.start_in_background("Signal Bridge", show=log_qr)

    # -- accounts that are missing -------------------------------------------------------------

    def _explain(self, missing: frozenset[str], why: str) -> None:
        """Note another reason; log how many are missing, and why once that is known."""
        if missing and why != self._why:
            self._book.explain_missing(why)
        self._why = why if missing else ""
        now = (len(missing), bool(missing and why))
        if now == self._logged:
            return
        before, self._logged = self._logged, now
        if missing:
            because = f": {why}" if why else ""
            log.warning(
                "signal-cli has not loaded %d accounts, and is told to try again%s",
                len(missing),
                because,
            )
        elif before[0]:
            log.info("signal-cli has loaded every account")

    def _see_to(self, missing: frozenset[str], others_work: bool, now: float) -> None:
        if self._trying is not None and not self._trying.is_alive():
            self._trying = None
            self._efforts = self._efforts.after_try(now)
        self._efforts = self._efforts.after_look(missing, others_work, now)
        if self._trying is not None:
            return
        step = self._efforts.due(now, may_restart=self._remedies.restart is not None)
        if isinstance(step, Try):
            self._try(step.number)
        elif isinstance(step, Restart) and self._remedies.restart is not None:
            self._efforts = self._efforts.after_restart(now)
            self._remedies.restart(f"{len(missing)} accounts are not loaded")

    def _try(self, number: str) -> None:
        """On a thread of its own: without a network it takes signal-cli ten seconds."""
        self._trying = threading.Thread(
            target=self._load, args=(number,), name="load-account", daemon=True
        )
        try:
            self._trying.start()
        except RuntimeError as error:
            log.debug("no account can be loaded now: %s", error)  # it counts as a try

    def _load(self, number: str) -> None:
        try:
            self._remedies.load(number)
        except BridgeError as error:
            log.debug("an account was not loaded: %s", error)
        except Exception:  # nobody awaits this thread: without a line its end would go unseen
            log.exception("loading an account failed in a way nobody expected")
