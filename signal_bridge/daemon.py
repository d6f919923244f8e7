"""The long-lived process: signal-cli, the inbox and, for `serve`, Gunicorn.

    serve ─┬─ supervisor:signal-cli ── signal-cli     (its JSON-RPC socket is its stdin)
           ├─ receive ── rpc-reader:receive ── intake ── the store
           ├─ couriers ── courier:<id> ── one webhook
           └─ supervisor:web ── gunicorn ── workers   (the HTTP socket is inherited)

Started in that order, stopped in reverse. Every change is put on the status board, where the web
workers read it.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from typing import Final

from signal_bridge.errors import RequestError, SettingError, StoreError
from signal_bridge.inbox.accounts import AccountBook
from signal_bridge.inbox.intake import Intake
from signal_bridge.inbox.own import own_event
from signal_bridge.inbox.retention import Retention
from signal_bridge.inbox.store import Inbox
from signal_bridge.settings import Settings
from signal_bridge.signalcli.accountwatch import AccountWatch
from signal_bridge.signalcli.gateway import Gateway
from signal_bridge.signalcli.linking import Linker
from signal_bridge.signalcli.subscription import Subscription
from signal_bridge.store.engine import Store
from signal_bridge.store.migrations import migrate
from signal_bridge.store.status import StatusBoard
from signal_bridge.supervisor.command import Command, gunicorn_command, signal_cli_command
from signal_bridge.supervisor.listening import listen_tcp, listen_unix, lock
from signal_bridge.supervisor.states import State
from signal_bridge.supervisor.supervisor import Policy, Supervisor
from signal_bridge.threads import Guard, Loop
from signal_bridge.web.holding import sweep
from signal_bridge.webhooks.addresses import Rules
from signal_bridge.webhooks.couriers import Couriers
from signal_bridge.webhooks.registry import Registry

log = logging.getLogger(__name__)

EXIT_OK: Final = 0
EXIT_FAILED: Final = 2
# signal-cli: 1 is a user error (signal-cli-rpc.md 4.3), such as an option it does not know.
_SIGNAL_CLI_POLICY: Final = Policy(hopeless_exit_codes=frozenset({1}))
# Gunicorn: its own graceful_timeout and a little.
_WEB_POLICY: Final = Policy(stop_seconds=35.0)


class Daemon:
    """The process as a whole. `run` returns its exit code.

    Everything that can be wrong before anything starts is found out in the constructor, which
    raises StartError or StoreError.
    """

    def __init__(self, settings: Settings, with_web: bool) -> None:
        self._settings = settings
        self._lock_fd = lock(settings.lock_path)
        command = signal_cli_command(settings) if settings.supervised else None
        self._web_socket = listen_tcp(settings.host, settings.port) if with_web else None
        sweep(settings.uploads_dir)  # of requests that are gone
        self._store = Store(settings.database_url)
        migrate(self._store)
        self._reports = _Reports(self._store, settings.supervised)
        self._inbox = Inbox(self._store)
        self._stop = threading.Event()
        self._exit_code = EXIT_OK
        self._gateway = Gateway(settings, self._reports.board, name="probe")
        self._signal_cli = self._signal_cli_supervisor(command)
        self._accounts = self._account_watch()
        self._receiving = self._subscription()
        self._retention = self._retention_thread()
        self._couriers = self._make_couriers()
        self._web = self._web_supervisor(self._web_socket)

    def run(self) -> int:
        """Start everything, wait for a signal or a failure, stop everything."""
        _set_on_signals(self._stop)
        self._start()
        self._stop.wait()
        self._end()
        return self._exit_code

    def _start(self) -> None:
        self._reports.begin()
        if self._signal_cli is not None:
            self._signal_cli.start()
        self._receiving.start()
        self._retention.start()
        self._couriers.start()
        if self._web is not None:
            self._web.start()
        if self._web_socket is not None:
            host, port = self._web_socket.getsockname()[:2]
            log.info("listening on http://%s:%d", f"[{host}]" if ":" in host else host, port)

    def _end(self) -> None:
        """In reverse: no request may need what is gone already."""
        log.info("stopping")
        self._reports.receiving(False, "stopping")
        if self._web is not None:
            self._web.stop()
        self._couriers.stop()
        self._receiving.join(seconds=10)
        self._gateway.close()
        if self._signal_cli is not None:
            self._signal_cli.stop()
        self._store.close()

    # -- the parts -----------------------------------------------------------------------------

    def _signal_cli_supervisor(self, command: Command | None) -> Supervisor | None:
        """None for a daemon of somebody else's."""
        if command is None:
            return None
        self._rpc_socket = listen_unix(self._settings.socket_path)
        return Supervisor(
            "signal-cli",
            command,
            self._on_signal_cli,
            probe=self._gateway.ping,
            policy=_SIGNAL_CLI_POLICY,
            stdin=self._rpc_socket.fileno(),
        )

    def _account_watch(self) -> AccountWatch:
        restart = self._signal_cli.restart if self._signal_cli is not None else None
        book = AccountBook(self._store, self._inbox)
        return AccountWatch(book, self._settings.config_dir, restart, Linker(self._gateway))

    def _subscription(self) -> Subscription:
        return Subscription(
            self._settings.daemon_address,
            accept=Intake(self._inbox, self._stop, self._reports.storing).accept,
            report=self._reports.receiving,
            on_accounts=self._on_accounts,
            stop=self._stop,
        )

    def _retention_thread(self) -> Loop:
        work = Retention(self._settings, self._store, self._inbox)
        return Loop(
            "retention", lambda: work.run(self._stop), self._stop, report=self._reports.trouble
        )

    def _make_couriers(self) -> Couriers:
        rules = Rules(self._settings.webhook_allow, self._settings.webhook_deny)
        try:
            Registry(self._store, rules).set_env(self._settings.receive_webhook_url)
        except RequestError as error:
            raise SettingError(f"RECEIVE_WEBHOOK_URL cannot be used: {error}") from None
        return Couriers(self._store, self._inbox, rules, self._settings.webhook_retry_seconds)

    def _web_supervisor(self, listening: socket.socket | None) -> Supervisor | None:
        if listening is None:
            return None
        return Supervisor(
            "web",
            gunicorn_command(listening.fileno()),
            lambda state, detail: self._reports.put("web", state.value, detail),
            policy=_WEB_POLICY,
            inherited=(listening.fileno(),),
            captures_output=False,
        )

    # -- what they tell ------------------------------------------------------------------------

    def _on_signal_cli(self, state: State, detail: str) -> None:
        """On the supervisor's thread, at each change."""
        if because := self._reports.signal_cli(state, detail):
            self._tell_restart(because)
        if state is State.FAILED:
            log.error("signal-cli cannot work like this; stopping. %s", detail)
            self._exit_code = EXIT_FAILED
            self._stop.set()

    def _tell_restart(self, because: str) -> None:
        try:
            self._inbox.append([own_event("daemon.restarted", detail=because)])
        except StoreError as error:
            log.warning("the restart cannot be told in the feed: %s", error)

    def _on_accounts(self, version: str, accounts: frozenset[str]) -> None:
        """On thread receive, every few seconds."""
        self._reports.put("version", version)
        self._accounts.look(accounts)


class _Reports:
    """Puts on the status board how the parts are. It is for show: without it, work goes on."""

    def __init__(self, store: Store, supervised: bool) -> None:
        self.board = StatusBoard(store)
        self._supervised = supervised
        # Why signal-cli went down; empty while it has not. The supervisor's thread only.
        self._down_because = ""
        # Why nothing can be stored; empty while it can. Written by the reader thread.
        self._not_stored_because = ""
        # One for each part, whose thread is the only one to use it.
        self._recording: dict[str, Guard] = {}

    def begin(self) -> None:
        """Nothing is left of an earlier process. Raises StoreError."""
        self.board.forget()
        self.put("signal-cli", "down", "starting")
        self.put("receive", "down", "starting")

    def signal_cli(self, state: State, detail: str) -> str:
        """A change of our signal-cli. Once it runs again: why it had gone down, else empty."""
        self.put("signal-cli", "running" if state is State.RUNNING else "down", detail)
        if state is State.BACKING_OFF:
            self._down_because = detail
        if state is not State.RUNNING:
            return ""
        because, self._down_because = self._down_because, ""
        return because

    def receiving(self, receiving: bool, detail: str) -> None:
        """How receiving is; of somebody else's signal-cli that is all we know."""
        state = "running" if receiving else "down"
        if not self._supervised:
            self.put("signal-cli", state, detail)
        if receiving and self._not_stored_because:
            state, detail = "down", self._not_stored_because
        self.put("receive", state, detail)

    def storing(self, error: StoreError | None) -> None:
        """Whether what arrives can be stored: while it cannot, receiving waits."""
        self._not_stored_because = str(error or "")
        self.put("receive", "down" if error else "running", str(error or "receiving again"))

    def trouble(self, name: str, trouble: str | None) -> None:
        """What a loop of ours is kept from doing; None once it works again."""
        self.put(name, "down" if trouble else "running", trouble or "")

    def put(self, name: str, state: str, detail: str = "") -> None:
        guard = self._recording.setdefault(name, Guard(f"recording the status of {name}"))
        guard.goes_well(self.board.put, name, state, detail)


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
