"""Linking the bridge to a phone: a URI for the QR code now, the phone's answer later.

`startLink` gives the URI at once; `finishLink` waits up to 100 s for the phone to scan it
(signal-cli.rst 2.4), on a thread of its own. Its outcome is logged, and told to who asks.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections.abc import Callable
from typing import Any, Final

from signal_bridge.errors import BridgeError, DaemonUnavailable, Refused, RequestError
from signal_bridge.session import qrcodes
from signal_bridge.session.gateway import Gateway
from signal_bridge.signalcli import accounts, results

log = logging.getLogger(__name__)

# Each waits for a phone on a thread; nobody links more devices than this at once.
_MOST_AT_ONCE: Final = 16

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


def _tell_nobody(_outcome: Outcome) -> None:
    """The log has it."""


class Linker:
    """Starts links and waits for them. Safe from any thread."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._places = threading.BoundedSemaphore(_MOST_AT_ONCE)

    def start(self) -> str:
        """A fresh link URI (`sgnl://linkdevice?…`). It is good for one `finish_in_background`.

        Raises Refused with signal-cli's reason, or DaemonError.
        """
        return accounts.link_uri(self._gateway.run(accounts.start_link()))

    def finish_in_background(
        self, uri: str, device_name: str, tell: Callable[[Outcome], None] = _tell_nobody
    ) -> None:
        """Wait for the phone on a thread, and `tell` it the outcome there.

        Raises RequestError when too many wait already, and DaemonUnavailable when the system has
        no thread left to wait on.
        """
        if not self._places.acquire(blocking=False):
            raise RequestError("Too many devices are being linked at once. Try again in a minute")
        self._spawn(self._finish, uri, device_name, tell)

    def start_in_background(self, device_name: str, show: Callable[[str], None]) -> None:
        """Start a link, `show(uri)`, and wait for the phone, all on a thread."""
        if self._places.acquire(blocking=False):
            self._spawn(self._start_and_finish, device_name, show)

    def _spawn(self, work: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(
            target=self._release_after, args=(work, *arguments), name="link", daemon=True
        )
        try:
            thread.start()
        except RuntimeError as error:
            self._places.release()
            raise DaemonUnavailable(f"The phone cannot be waited for now: {error}") from error

    def _release_after(self, work: Callable[..., None], *arguments: Any) -> None:
        try:
            work(*arguments)
        except BridgeError as error:
            log.warning("linking failed: %s", error)
        except Exception:
            log.exception("linking failed in a way nobody expected")
        finally:
            self._places.release()

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
