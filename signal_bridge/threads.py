"""The loop of every long-lived thread: whatever goes wrong in it, it goes on until it is stopped.

One unexpected exception would otherwise end a thread for good, and with it receiving, a webhook
or the supervision of a child, while everything else looks well.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from signal_bridge.clock import backoff_seconds, pause
from signal_bridge.errors import BridgeError

log = logging.getLogger(__name__)

# Told a name and what is wrong with it, in a sentence without secrets; None once it works again.
Report = Callable[[str, str | None], None]


def _tell_nobody(_name: str, _trouble: str | None) -> None:
    """The log has it."""


class Guard:
    """Takes whatever the work of one kind raises, and tells of it without repeating itself.

    Each kind of trouble is logged once until the work goes well again: a BridgeError as its
    sentence, anything else with a traceback. `report` is told after every failure, and once that
    it works again; one that raises is logged once, and told again later. Once `stop` is set a
    BridgeError is no trouble: what the work waited for is gone.

    For the work of one thread; used by several, it may say a thing twice.
    """

    def __init__(
        self, name: str, report: Report | None = None, stop: threading.Event | None = None
    ) -> None:
        self.name: Final = name
        self._report = report or _tell_nobody
        self._stop = stop or threading.Event()
        # Kinds of trouble logged since the work went well.
        self._logged: set[type[Exception]] = set()
        # Whether `report` was told of trouble, and whether it refused what it was told last.
        self._reported = False
        self._unreported = False

    def goes_well(self, work: Callable[..., object], *arguments: object) -> bool:
        """Whether `work(*arguments)` returned. Raises no Exception."""
        try:
            work(*arguments)
            self.works()
        except Exception as error:  # noqa: BLE001 - this is the place that takes all
            # Not even telling of it may fail: without memory, all of this can raise.
            with contextlib.suppress(Exception):
                self._tell(error)
            return False
        return True

    def works(self) -> None:
        """It works (again). Work that does not return while it works says so by itself."""
        if self._logged:
            self._logged.clear()
            log.info("%s works again", self.name)
        if self._reported:
            self._reported = not self._report_takes(None)

    def _tell(self, error: Exception) -> None:
        if self._stop.is_set() and isinstance(error, BridgeError):
            return
        self._log(error)
        self._reported = True
        self._report_takes(_sentence(error))

    def _log(self, error: Exception) -> None:
        if type(error) in self._logged:
            return
        self._logged.add(type(error))
        if isinstance(error, BridgeError):
            log.warning("%s: %s", self.name, error)
        else:
            log.error("%s failed in a way nobody expected; it goes on", self.name, exc_info=error)

    def _report_takes(self, trouble: str | None) -> bool:
        """Whether `report` took it. That it fails is logged once until it takes something."""
        try:
            self._report(self.name, trouble)
        except Exception as error:
            if not self._unreported:
                unexpected = None if isinstance(error, BridgeError) else error
                log.warning("%s: how it is cannot be reported: %s", self.name, _sentence(error),
                            exc_info=unexpected)  # fmt: skip
            self._unreported = True
            return False
        self._unreported = False
        return True


class Loop:
    """Calls `step` again and again, on a daemon thread named `name`, until `stop` is set.

    `step` does one round and may block; it waits by itself for its next one, and looks at `stop`
    while it does. What it raises never ends the loop: a Guard logs it and tells `report` of it,
    on the loop's thread. A wait follows that grows while trouble keeps coming, from
    `first_wait_seconds` to `longest_wait_seconds`.
    """

    def __init__(
        self,
        name: str,
        step: Callable[[], object],
        stop: threading.Event,
        *,
        report: Report | None = None,
        first_wait_seconds: float = 0.1,
        longest_wait_seconds: float = 5.0,
    ) -> None:
        self.name: Final = name
        self._step = step
        self._stop = stop
        self._guard = Guard(name, report, stop)
        self._first_wait_seconds = first_wait_seconds
        self._longest_wait_seconds = longest_wait_seconds
        # The loop's thread only. The second: when the last wait after trouble was over.
        self._attempt = 0
        self._resumed_at = 0.0
        self._thread = threading.Thread(target=self.run, name=name, daemon=True)

    def start(self) -> None:
        """Once. Raises RuntimeError when the system has no thread left."""
        self._thread.start()

    def join(self, seconds: float) -> bool:
        """Wait for the end after `stop` was set. True when it has ended, or never started."""
        if self._thread.ident is not None:
            self._thread.join(seconds)
        return not self._thread.is_alive()

    def is_alive(self) -> bool:
        """Whether it was started and has not ended."""
        return self._thread.is_alive()

    def run(self) -> None:
        """The loop itself, for a thread that has something to do before or after it."""
        while not self._stop.is_set():
            if not self._guard.goes_well(self._step):
                self._back_off()

    def works(self) -> None:
        """It works (again). A step that does not return while it works says so by itself."""
        self._guard.works()

    def _back_off(self) -> None:
        """Waits grow until no trouble came for as long as the longest of them."""
        calm = time.monotonic() - self._resumed_at > self._longest_wait_seconds
        self._attempt = 1 if calm else self._attempt + 1
        wait_seconds = backoff_seconds(
            self._attempt, self._first_wait_seconds, self._longest_wait_seconds
        )
        pause(wait_seconds, self._stop)
        self._resumed_at = time.monotonic()


def _sentence(error: Exception) -> str:
    """Fit to be shown: what an unexpected error says may hold anything."""
    if isinstance(error, BridgeError):
        return str(error)
    return f"an unexpected error ({type(error).__name__}), which the log shows"
