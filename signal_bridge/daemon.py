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
import shutil
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
from signal_bridge.signalcli.linking import Linker, log_qr
from signal_bridge.signalcli.subscription import Subscription
from signal_bridge.store.engine import Store
from signal_bridge.store.migrations import migrate
from signal_bridge.store.status import StatusBoard
from signal_bridge.supervisor.command import gunicorn_command, signal_cli_command
from signal_bridge.supervisor.listening import listen_tcp, listen_unix, lock
from signal_bridge.supervisor.states import State
from signal_bridge.supervisor.supervisor import Policy, Supervisor
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
        _sweep(settings)
        self._store = Store(settings.database_url)
        migrate(self._store)
        self._board = StatusBoard(self._store)
        self._inbox = Inbox(self._store)
        self._stop = threading.Event()
        self._exit_code = EXIT_OK
        self._gateway = Gateway(settings, self._board, name="probe")
        # Why signal-cli went down; empty while it has not. The supervisor's thread only.
        self._down_because = ""
        # Made once, when signal-cli has no account.
        self._linker: Linker | None = None
        self._rpc_socket = listen_unix(settings.socket_path) if settings.supervised else None
        self._signal_cli = (
            Supervisor(
                "signal-cli",
                command,
                self._on_signal_cli,
                probe=self._gateway.ping,
                policy=_SIGNAL_CLI_POLICY,
                stdin=_fd(self._rpc_socket),
            )
            if command is not None
            else None
        )
        self._web = self._web_supervisor(self._web_socket)
        self._watch = AccountWatch(
            AccountBook(self._store, self._inbox),
            settings.config_dir,
            restart=self._signal_cli.restart if self._signal_cli is not None else None,
        )
        self._retention = threading.Thread(
            target=Retention(settings, self._store, self._inbox).run,
            args=(self._stop,),
            name="retention",
            daemon=True,
        )
        self._receiving = Subscription(
            settings.daemon_address,
            accept=self._intake().accept,
            report=self._on_receiving,
            on_accounts=self._on_accounts,
            stop=self._stop,
        )
        self._couriers = self._make_couriers()

    def run(self) -> int:
        """Start everything, wait for a signal or a failure, stop everything."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop.set())
        self._start()
        self._stop.wait()
        self._end()
        return self._exit_code

    def _start(self) -> None:
        self._board.forget()
        self._put("signal-cli", "down", "starting")
        self._put("receive", "down", "starting")
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
        self._put("receive", "down", "stopping")
        if self._web is not None:
            self._web.stop()
        self._couriers.stop()
        self._receiving.join(seconds=10)
        self._gateway.close()
        if self._signal_cli is not None:
            self._signal_cli.stop()
        self._put("signal-cli", "down", "stopped")
        self._store.close()

    def _web_supervisor(self, listening: socket.socket | None) -> Supervisor | None:
        if listening is None:
            return None
        return Supervisor(
            "web",
            gunicorn_command(listening.fileno()),
            lambda state, detail: self._put("web", state.value, detail),
            policy=_WEB_POLICY,
            inherited=(listening.fileno(),),
            captures_output=False,
        )

    def _make_couriers(self) -> Couriers:
        rules = Rules(self._settings.webhook_allow, self._settings.webhook_deny)
        try:
            Registry(self._store, rules).set_env(self._settings.receive_webhook_url)
        except RequestError as error:
            raise SettingError(f"RECEIVE_WEBHOOK_URL cannot be used: {error}") from None
        return Couriers(self._store, self._inbox, rules, self._settings.webhook_retry_seconds)

    def _intake(self) -> Intake:
        def report(error: StoreError | None) -> None:
            self._on_receiving(error is None, str(error or "receiving again"))

        return Intake(self._inbox, self._stop, report)

    def _on_signal_cli(self, state: State, detail: str) -> None:
        """On the supervisor's thread, at each change."""
        self._put("signal-cli", "running" if state is State.RUNNING else "down", detail)
        if state is State.BACKING_OFF:
            self._down_because = detail
        if state is State.RUNNING and self._down_because:
            self._tell_restart()
        if state is State.FAILED:
            log.error("signal-cli cannot work like this; stopping. %s", detail)
            self._exit_code = EXIT_FAILED
            self._stop.set()

    def _tell_restart(self) -> None:
        because, self._down_because = self._down_because, ""
        try:
            self._inbox.append([own_event("daemon.restarted", detail=because)])
        except StoreError as error:
            log.warning("the restart cannot be told in the feed: %s", error)

    def _on_receiving(self, receiving: bool, detail: str) -> None:
        if not self._settings.supervised:
            self._put("signal-cli", "running" if receiving else "down", detail)
        self._put("receive", "running" if receiving else "down", detail)

    def _on_accounts(self, version: str, accounts: frozenset[str]) -> None:
        """On thread receive, every few seconds. Without an account the log shows how to link."""
        self._put("version", version)
        try:
            self._watch.look(accounts)
        except StoreError as error:
            log.warning("the accounts cannot be compared with what is known: %s", error)
        if not accounts and self._linker is None:
            self._linker = Linker(self._gateway)
            self._linker.start_in_background("Signal Bridge", show=log_qr)

    def _put(self, name: str, state: str, detail: str = "") -> None:
        """The board is for show: when it cannot be written, work goes on."""
        try:
            self._board.put(name, state, detail)
        except StoreError as error:
            log.warning("the status of %s (%s) cannot be recorded: %s", name, state, error)


def _fd(listening: socket.socket | None) -> int | None:
    return None if listening is None else listening.fileno()


def _sweep(settings: Settings) -> None:
    """Uploads that a crash left behind belong to requests that are gone."""
    shutil.rmtree(settings.uploads_dir, ignore_errors=True)
    settings.uploads_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
