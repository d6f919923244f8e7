"""The long-lived process: what only one may do (duty.py) and, for `serve`, Gunicorn.

    serve ─┬─ tenure ── the lease of the one daemon ──► duty
           └─ supervisor:web ── gunicorn ── workers   (the HTTP socket is inherited)

A second bridge on the same database opens HTTP, and takes up duty when the first has ended.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from signal_bridge import compose
from signal_bridge.clock import backoff_seconds, pause
from signal_bridge.duty import Duty
from signal_bridge.errors import StartError, StoreUnavailable
from signal_bridge.settings import Settings
from signal_bridge.spool.holding import sweep
from signal_bridge.store.engine import Store
from signal_bridge.store.migrations import migrate
from signal_bridge.store.tenure import Tenure, node_name
from signal_bridge.supervisor.command import gunicorn_command
from signal_bridge.supervisor.listening import listen_tcp, lock
from signal_bridge.supervisor.places import prepare_data_directory, trouble_with
from signal_bridge.supervisor.privacy import close_to_others
from signal_bridge.supervisor.supervisor import Policy, Supervisor

log = logging.getLogger(__name__)

EXIT_OK: Final = 0
EXIT_FAILED: Final = 2
# Gunicorn: its own graceful_timeout and a little.
_WEB_POLICY: Final = Policy(stop_seconds=35.0)
_LONGEST_STORE_WAIT_SECONDS: Final = 5.0


class Daemon:
    """The process as a whole. `run` returns its exit code.

    Everything that can be wrong before anything starts is found out in the constructor, which
    raises StartError or StoreError. A database that is not there yet is waited for.
    """

    def __init__(self, settings: Settings, with_web: bool) -> None:
        self._settings = settings
        self._stop = threading.Event()
        _set_on_signals(self._stop)
        prepare_data_directory(settings)
        self._lock_fd = lock(settings.lock_path)
        self._command = compose.signal_cli(settings)
        self._store = _reachable_store(settings, self._stop)
        self._web_socket = (
            listen_tcp(settings.host, settings.port, self._stop) if with_web else None
        )
        if self._web_socket is not None:  # PORT=0 takes any
            self._settings = dataclasses.replace(settings, port=_port(self._web_socket))
        with _ended_by_signals():  # another bridge's migration is waited for
            migrate(self._store)
        _sweep_uploads(settings.uploads_dir)
        close_to_others(settings)
        self._exit_code = EXIT_OK
        self._tenure = Tenure(self._store, node_name(settings.node_path), self._fail)
        self._duty: Duty | None = None
        self._web = self._web_supervisor(self._web_socket)

    def run(self) -> int:
        """Start everything, wait for a signal or a failure, stop everything."""
        if self._stop.is_set():  # before anything was started
            self._store.close()
            return self._exit_code
        if self._tenure.take():
            self._take_up_duty()
            self._start_web()
        else:
            self._start_web()
            if self._tenure.wait(self._stop):
                self._take_up_duty()
        self._stop.wait()
        self._end()
        return self._exit_code

    def _take_up_duty(self) -> None:
        self._duty = compose.duty(
            self._settings,
            self._store,
            self._command,
            self._tenure.lease,
            self._stop,
            self._fail,
        )
        self._duty.start()

    def _start_web(self) -> None:
        if self._web is None or self._web_socket is None:
            return
        self._web.start()
        host, port = self._web_socket.getsockname()[:2]
        log.info("listening on http://%s:%d", f"[{host}]" if ":" in host else host, port)

    def _end(self) -> None:
        """In reverse: no request may need what is gone already."""
        log.info("stopping")
        if self._duty is not None:
            self._duty.reports.receiving(False, "stopping")
        if self._web is not None:
            self._web.stop()
        if self._duty is not None:
            self._duty.stop()
        self._tenure.end()
        self._store.close()

    def _fail(self, sentence: str) -> None:
        log.error("%s", sentence)
        self._exit_code = EXIT_FAILED
        self._stop.set()

    def _web_supervisor(self, listening: socket.socket | None) -> Supervisor | None:
        if listening is None:
            return None
        return Supervisor(
            "web",
            gunicorn_command(listening.fileno(), {**os.environ, "PORT": str(_port(listening))}),
            lambda _state, _detail: None,
            policy=_WEB_POLICY,
            inherited=(listening.fileno(),),
            captures_output=False,
        )


def _port(listening: socket.socket) -> int:
    return int(listening.getsockname()[1])


def _sweep_uploads(uploads_dir: Path) -> None:
    """Remove what requests that are gone have left. Raises StartError."""
    try:
        sweep(uploads_dir)
    except OSError as error:
        raise StartError(trouble_with(uploads_dir, error)) from None


def _reachable_store(settings: Settings, stop: threading.Event) -> Store:
    """The database. One that cannot be reached yet is waited for; nobody could be served.

    Raises StoreError for one that will not let us in by waiting, and SystemExit when `stop` is set
    while it waits: then there is nothing to stop.
    """
    store = Store(settings.database_url)
    attempt = 0
    while True:
        try:
            with store.read():
                return store
        except StoreUnavailable as error:
            if not (store.is_postgres and error.retryable):
                raise
            attempt += 1
            if attempt == 1:
                log.warning("waiting for the database: %s", error)
            if pause(backoff_seconds(attempt, 0.2, _LONGEST_STORE_WAIT_SECONDS), stop):
                raise SystemExit(EXIT_OK) from None


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """In the block a signal ends the process at once: nothing runs yet that would need a stop."""
    handlers = {one: signal.signal(one, signal.SIG_DFL) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for one, handler in handlers.items():
            signal.signal(one, handler)


def _set_on_signals(stop: threading.Event) -> None:
    """Have SIGTERM and SIGINT set `stop`, on a thread of its own.

    A handler cannot: Python runs it between any two instructions of the main thread, also inside
    of Event.wait or Event.set, whose lock is then taken already. A second signal during the first,
    as from make and the terminal at once, waited for it for ever. And of two signals at once,
    another thread may hear both, with nothing to wake the main thread. A byte in a pipe is certain.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)

    def wait_for_one() -> None:
        os.read(reading, 1)
        stop.set()

    threading.Thread(target=wait_for_one, name="signals", daemon=True).start()
