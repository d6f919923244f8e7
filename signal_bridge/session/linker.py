"""Linking the bridge to a phone: a URI for the QR code now, the phone's answer later.

`startLink` gives the URI at once; `finishLink` waits up to 100 s for the phone to scan it
(signal-cli.rst 2.4), on a thread of its own. Its outcome is logged, and told to who asks.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from typing import Any, Final

from signal_bridge.errors import (
    BridgeError,
    Busy,
    BusyForClient,
    DaemonUnavailable,
    Refused,
)
from signal_bridge.session import qrcodes
from signal_bridge.session.gateway import Gateway
from signal_bridge.signalcli import accounts, results

log = logging.getLogger(__name__)

# Each has a thread here and one of signal-cli wait for a phone, and a connection to Signal.
_MOST_AT_ONCE: Final = 16
_MOST_OF_CLIENT: Final = 8
_RETRY_SECONDS: Final = 100  # by then the last of them has come, or never will
# So long signal-cli keeps a link open for which nobody waits (signal-cli.rst 2.4).
_OPEN_SECONDS: Final = 100.0
_NOT_A_CLIENT: Final = ""
_TOO_MANY: Final = "Too many devices are being linked at once. Try again in a minute or two"

PENDING: Final = "pending"  # the phone has not scanned it yet
LINKED: Final = "linked"  # `account` is there
EXPIRED: Final = "expired"  # no phone came in time
FAILED: Final = "failed"  # `reason` says why


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of a link: its state, and the account that was linked or the reason."""

    state: str
    account: str = ""
    reason: str = ""


def outcome_of(error: BridgeError) -> Outcome:
    """What an error of `finishLink` means. Pure."""
    timed_out = isinstance(error, Refused) and "timed out" in str(error)
    return Outcome(EXPIRED if timed_out else FAILED, reason=str(error))


@dataclasses.dataclass
class Place:
    """The right of a client to have one phone waited for, and whether that is done by now."""

    client: str
    is_used: bool = False


def _tell_nobody(_outcome: Outcome) -> None:
    """The log has it."""


class Linker:
    """Starts links and waits for them. Safe from any thread."""

    def __init__(
        self,
        gateway: Gateway,
        most: int = _MOST_AT_ONCE,
        most_of_client: int = _MOST_OF_CLIENT,
        open_seconds: float = _OPEN_SECONDS,
    ) -> None:
        self._gateway = gateway
        self._most = most
        self._most_of_client = most_of_client
        self._open_seconds = open_seconds
        self._mutex = threading.Lock()  # guards _waiting and _open
        self._waiting: Counter[str] = Counter()  # for how many phones, by client
        self._open: deque[tuple[float, str]] = deque()  # until when such a link is, and whose

    @contextlib.contextmanager
    def place(self, client: str) -> Iterator[Place]:
        """A place to wait for one phone. At the end of the block it is free, unless it is used.

        Raises BusyForClient, or Busy when all clients together have as many.
        """
        self._take(client)
        place = Place(client)
        try:
            yield place
        finally:
            if not place.is_used:
                self._leave(client)

    def leave_open(self, place: Place) -> None:
        """The client has its link, and may wait for the phone or not: so long the place is used."""
        with self._mutex:
            self._open.append((time.monotonic() + self._open_seconds, place.client))
        place.is_used = True

    def start(self) -> str:
        """A fresh link URI (`sgnl://linkdevice?…`). It is good for one `finish_in_background`.

        Which is to follow: until then signal-cli keeps a connection to Signal open for it. Raises
        Refused with signal-cli's reason, or DaemonError.
        """
        return accounts.link_uri(self._gateway.run(accounts.start_link()))

    def finish_in_background(
        self,
        place: Place,
        uri: str,
        device_name: str,
        tell: Callable[[Outcome], None] = _tell_nobody,
    ) -> None:
        """Wait for the phone on a thread, and `tell` it the outcome there. It has the place.

        Raises DaemonUnavailable when the system has no thread left to wait on.
        """
        self._spawn(place, self._finish, uri, device_name, tell)

    def start_in_background(self, device_name: str, show: Callable[[str], None]) -> None:
        """Start a link, `show(uri)`, and wait for the phone, all on a thread."""
        with contextlib.suppress(Busy), self.place(_NOT_A_CLIENT) as place:
            self._spawn(place, self._start_and_finish, device_name, show)

    def _take(self, client: str) -> None:
        with self._mutex:
            while self._open and self._open[0][0] <= time.monotonic():
                self._give_back(self._open.popleft()[1])
            if self._waiting[client] >= self._most_of_client:
                raise BusyForClient(_TOO_MANY, _RETRY_SECONDS)
            if self._waiting.total() >= self._most:
                raise Busy(_TOO_MANY, _RETRY_SECONDS)
            self._waiting[client] += 1

    def _leave(self, client: str) -> None:
        with self._mutex:
            self._give_back(client)

    def _give_back(self, client: str) -> None:
        self._waiting[client] -= 1
        self._waiting = +self._waiting  # without those who wait for nothing

    def _spawn(self, place: Place, work: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(
            target=self._leave_after,
            args=(place.client, work, *arguments),
            name="link",
            daemon=True,
        )
        try:
            thread.start()
        except RuntimeError as error:
            raise DaemonUnavailable(f"The phone cannot be waited for now: {error}") from error
        place.is_used = True

    def _leave_after(self, client: str, work: Callable[..., None], *arguments: Any) -> None:
        try:
            work(*arguments)
        except BridgeError as error:
            log.warning("linking failed: %s", error)
        except Exception:
            log.exception("linking failed in a way nobody expected")
        finally:
            self._leave(client)

    def _start_and_finish(self, device_name: str, show: Callable[[str], None]) -> None:
        uri = self.start()
        show(uri)
        self._finish(uri, device_name, _tell_nobody)

    def _finish(self, uri: str, device_name: str, tell: Callable[[Outcome], None]) -> None:
        try:
            result = self._gateway.run(accounts.finish_link(uri, device_name))
            outcome = Outcome(LINKED, account=results.text(results.as_row(result), "number"))
        except BridgeError as error:
            tell(outcome_of(error))
            raise
        except Exception:
            tell(Outcome(FAILED, reason="An unexpected error, which the log shows"))
            raise
        log.info("a device was linked; its account is ready")
        tell(outcome)


def log_qr(uri: str) -> None:
    """Show the link in the log, for an operator who has nothing else."""
    log.info(
        "no account is linked yet. In Signal on your phone: Settings, Linked devices, +, and scan"
        " this within 90 seconds (a new one: GET /v1/qrcodelink?device_name=…)\n%s",
        qrcodes.as_text(uri),
    )
