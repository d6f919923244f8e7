"""Runs calls on signal-cli: one shared connection, one deadline per call.

The connection is made when a call finds none, by one caller for all who wait. While signal-cli
starts, calls wait for it up to BRIDGE_START_WAIT_SECONDS; when it has been down for longer than
that, they are told so at once. Once the bridge stops, nobody waits for a start any more.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Final

from signal_bridge.clock import Deadline, pause
from signal_bridge.errors import (
    BridgeError,
    CallTimedOut,
    ConnectionLost,
    DaemonError,
    DaemonOutdated,
    DaemonUnavailable,
    NotSupported,
    Refused,
    StoreError,
)
from signal_bridge.rpc.admission import Admission
from signal_bridge.rpc.client import Client, LossHandler, connect
from signal_bridge.rpc.jsonrpc import Reply
from signal_bridge.rpc.pending import InFlight
from signal_bridge.session.missing_accounts import MissingAccounts
from signal_bridge.settings import Settings
from signal_bridge.signalcli import versions
from signal_bridge.signalcli.call import Call
from signal_bridge.signalcli.refusals import refusal
from signal_bridge.store.status import OUTDATED, StatusBoard

log = logging.getLogger(__name__)

_RETRY_SECONDS: Final = 0.2
# So many connections in a row may be lost before a call could be written; not for ever.
_TRIES: Final = 3
# One that is up answers its greeting in milliseconds; a bridge that stops waits for no other.
_GREETING_WHILE_STOPPING_SECONDS: Final = 1.0


class Gateway:
    """Calls signal-cli for any number of threads.

    `on_refusal` is told of every refusal, on the thread of its call, before the caller is;
    `on_lost`, once, what was in flight when the connection was lost before a stop. Of the `missing`
    accounts signal-cli is not asked; without them it is asked of every one.
    """

    def __init__(
        self,
        settings: Settings,
        board: StatusBoard,
        name: str = "calls",
        on_refusal: Callable[[Call, Refused], None] | None = None,
        missing: MissingAccounts | None = None,
        on_lost: LossHandler = lambda _: None,
    ) -> None:
        self._settings = settings
        self._board = board
        self._name = name
        self._on_refusal = on_refusal
        self._missing = missing
        self._on_lost = on_lost
        # Guards _connecting and _greeted. The connecting itself is done outside.
        self._mutex = threading.Lock()
        self._connecting: Future[Client] | None = None
        # The connection whose first answer is awaited, while one is.
        self._greeted: Client | None = None
        # Set once there is no start to wait for any more.
        self._stop = threading.Event()

    def run(self, call: Call) -> Any:
        """The result of `call`.

        Raises Refused (signal-cli said no), DaemonUnavailable (it is not there, AccountNotLoaded:
        not for this account, DaemonBusy: not now; nothing was sent), RequestError (signal-cli
        cannot read it), ConnectionLost or CallTimedOut (each says whether the outcome is unknown).
        What was written is never written again: it may be what ended signal-cli. Of a call that is
        `repeatable` the caller may decide so.
        """
        reply = self.answer(call)
        if reply.error is not None:
            raise self._refusal(call, reply.error)
        return reply.result

    def answer(self, call: Call) -> Reply:
        """signal-cli's answer to `call` as it is, a refusal too; else like `run`."""
        self._refuse_for_missing(call)
        reply = self._answer(call)
        if reply.error is not None and self._on_refusal is not None:
            self._on_refusal(call, refusal(reply.error))
        if self._missing is not None and self._missing.reasons:
            self._missing.learn(call, reply)
        return reply

    def _refusal(self, call: Call, answer: Mapping[str, Any]) -> BridgeError:
        error = refusal(answer)
        if isinstance(error, NotSupported):  # signal-cli names neither the method nor itself
            return versions.without_method(call.method, self.signal_cli_version())
        return error if self._missing is None else self._missing.explain(call, error)

    def _refuse_for_missing(self, call: Call) -> None:
        """Costs two looks at an attribute while nobody is missing."""
        missing = self._missing
        if missing is None:
            return
        if not missing.is_listening:
            missing.listen()
        if missing.reasons:
            missing.refuse(call)

    def _answer(self, call: Call) -> Reply:
        deadline = Deadline(call.timeout_seconds or self._settings.call_timeout_seconds)
        for _ in range(_TRIES):
            client = self._ready_client(deadline)
            try:
                return client.call(call.method, call.params, deadline)
            except (ConnectionLost, CallTimedOut) as error:
                error.retryable |= call.repeatable
                if error.request_written or isinstance(error, CallTimedOut):
                    raise
                lost = error
        raise lost

    def ping(self, seconds: float) -> str | None:
        """Ask for the version: None when signal-cli answers, else a sentence on what is wrong."""
        deadline = Deadline(seconds)
        try:
            self._client(deadline).call("version", None, deadline)
        except DaemonError as error:
            return str(error)
        return None

    def signal_cli_version(self) -> str | None:
        """The version that the daemon process has seen running, None when it is not known."""
        try:
            status = self._board.all().get("version")
        except StoreError:
            return None
        return None if status is None else status.state

    def stop_waiting(self) -> None:
        """Let nobody wait for signal-cli to start any more: who does gets DaemonUnavailable.

        Calls that are under way go on, and new ones are made while signal-cli is there.
        """
        self._stop.set()
        if (greeted := self._end_greeting()) is not None:
            greeted.close()

    def close(self) -> None:
        """End the connection, and every wait: callers get ConnectionLost or DaemonUnavailable."""
        self.stop_waiting()
        with self._mutex:
            attempt, self._connecting = self._connecting, None
        if attempt is not None and attempt.done() and attempt.exception() is None:
            attempt.result().close()

    def _ready_client(self, deadline: Deadline) -> Client:
        """A connection, after waiting for a start if there is one to wait for."""
        client = self._current()
        if client is not None:
            return client
        patience = deadline.at_most(self._patience_seconds())
        while True:
            try:
                return self._client(patience)
            except DaemonUnavailable:
                # A shorter attempt of somebody else may have failed before our time is up.
                if patience.expired() or pause(_RETRY_SECONDS, self._stop):
                    raise

    def _patience_seconds(self) -> float:
        """How long to wait for a start. Raises DaemonUnavailable when it is down for longer."""
        limit = self._settings.start_wait_seconds
        try:
            status = self._board.all().get("signal-cli")
        except StoreError:  # without a board, the connection itself will tell
            return limit
        if status is not None and status.state == OUTDATED:
            raise DaemonOutdated(status.detail)
        if status is not None and status.state == "down" and status.lasted_seconds() > limit:
            raise DaemonUnavailable(f"signal-cli is not running: {status.detail}")
        return limit

    def _current(self) -> Client | None:
        with self._mutex:
            attempt = self._connecting
        if attempt is None or not attempt.done() or attempt.exception() is not None:
            return None
        client = attempt.result()
        return None if client.lost else client

    def _client(self, deadline: Deadline) -> Client:
        """The shared connection; made by the first who needs it, awaited by the others."""
        attempt, mine = self._attempt()
        if mine:
            self._fulfil(attempt, deadline)
        try:
            return attempt.result(timeout=deadline.remaining_seconds())
        except TimeoutError:
            raise self._not_ready() from None

    def _attempt(self) -> tuple[Future[Client], bool]:
        """The attempt to wait for, and whether the caller has to carry it out."""
        with self._mutex:
            current = self._connecting
            if current is not None and not _is_over(current):
                return current, False
            self._connecting = Future()
            return self._connecting, True

    def _fulfil(self, attempt: Future[Client], deadline: Deadline) -> None:
        """Make the connection, or say why not: whoever waits for the attempt must hear of it."""
        try:
            attempt.set_result(self._connect(deadline))
        except DaemonUnavailable as error:
            attempt.set_exception(self._not_ready() if deadline.expired() else error)
        except DaemonError:
            # It died, or stayed silent, when it was greeted: of the call itself nothing was sent.
            attempt.set_exception(self._not_ready())
        except BaseException as error:
            attempt.set_exception(error)
            raise

    def _connect(self, deadline: Deadline) -> Client:
        """Connect and, to a daemon of ours, wait for its first answer.

        Our socket takes connections before signal-cli does; only an answer says that it is up.
        """
        admission = Admission(self._settings.workers)
        client = Client(
            self._connected_socket(deadline),
            self._name,
            admission=admission,
            on_lost=self._tell_loss,
        )
        if self._settings.supervised:
            self._greet(client, deadline)
        return client

    def _tell_loss(self, in_flight: Sequence[InFlight]) -> None:
        if not self._stop.is_set():
            self._on_lost(in_flight)

    def _greet(self, client: Client, deadline: Deadline) -> None:
        with self._mutex:
            self._greeted = client
        if self._stop.is_set():  # before it could be seen in _greeted
            deadline = deadline.at_most(_GREETING_WHILE_STOPPING_SECONDS)
        try:
            client.call("version", None, deadline)
        except BaseException:
            self._end_greeting()
            client.close()
            raise
        if self._end_greeting() is None:  # stop_waiting has taken it, and closes it
            raise self._not_ready()

    def _end_greeting(self) -> Client | None:
        """The connection whose first answer was awaited, given to one caller alone."""
        with self._mutex:
            greeted, self._greeted = self._greeted, None
        return greeted

    def _connected_socket(self, deadline: Deadline) -> socket.socket:
        while True:
            try:
                return connect(self._settings.daemon_address, deadline)
            except DaemonUnavailable:
                if deadline.remaining_seconds() < _RETRY_SECONDS:
                    raise
                if pause(_RETRY_SECONDS, self._stop):
                    raise self._not_ready() from None

    def _not_ready(self) -> DaemonUnavailable:
        stopping = ", and the bridge is stopping" if self._stop.is_set() else " yet"
        return DaemonUnavailable(f"signal-cli is not ready{stopping}")


def _is_over(attempt: Future[Client]) -> bool:
    """Whether an attempt can give nobody a connection any more."""
    if not attempt.done():
        return False
    return attempt.exception() is not None or attempt.result().lost
