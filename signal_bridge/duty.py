"""What only the one daemon of a database does: signal-cli, receiving, delivering, cleaning up.

    duty ─┬─ supervisor:signal-cli ── signal-cli     (its JSON-RPC socket is its stdin)
          ├─ receive ── rpc-reader:receive ── intake ── the store
          ├─ retention
          └─ couriers ── courier-N ── the webhooks

Started in that order, stopped in reverse. Every change is put on the status board, where the web
workers read it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from signal_bridge.delivery.webhooks.addresses import Rules
from signal_bridge.delivery.webhooks.couriers import Couriers
from signal_bridge.delivery.webhooks.registry import Registry
from signal_bridge.errors import RequestError, SettingError, StoreError
from signal_bridge.feed.account_book import AccountBook
from signal_bridge.feed.feed import Feed
from signal_bridge.feed.intake import Intake
from signal_bridge.feed.own import own_event
from signal_bridge.feed.retention import Retention
from signal_bridge.session.account_watch import AccountWatch
from signal_bridge.session.gateway import Gateway
from signal_bridge.session.linker import Linker
from signal_bridge.session.subscription import Subscription
from signal_bridge.settings import Settings
from signal_bridge.store.engine import Store
from signal_bridge.store.leases import Lease
from signal_bridge.store.status import StatusBoard
from signal_bridge.supervisor.command import Command
from signal_bridge.supervisor.listening import listen_unix
from signal_bridge.supervisor.states import State
from signal_bridge.supervisor.supervisor import Policy, Supervisor
from signal_bridge.threads import Guard, Loop

log = logging.getLogger(__name__)

# signal-cli: 1 is a user error (signal-cli-rpc.md 4.3), such as an option it does not know.
_SIGNAL_CLI_POLICY: Final = Policy(hopeless_exit_codes=frozenset({1}))


class Duty:
    """The parts, put together. `start` and `stop` once each, from one thread.

    `failed(sentence)` is called when signal-cli cannot work with this configuration.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        command: Command | None,
        lease: Lease,
        stop: threading.Event,
        failed: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._store = store
        self._stop = stop
        self._failed = failed
        self._feed = Feed(store)
        self.reports = Reports(store, settings.supervised)
        self._gateway = Gateway(settings, self.reports.board, name="probe")
        self._signal_cli = self._signal_cli_supervisor(command)
        self._accounts = self._account_watch()
        self._receiving = self._subscription()
        self._retention = self._retention_loop()
        self._couriers = self._make_couriers(lease)

    def start(self) -> None:
        """Raises StoreError."""
        self.reports.begin()
        if self._signal_cli is not None:
            self._signal_cli.start()
        self._receiving.start()
        self._retention.start()
        self._couriers.start()

    def stop(self) -> None:
        """In reverse, after `stop` was set: no request may need what is gone already."""
        self._couriers.stop()
        self._feed.close()
        self._receiving.join(seconds=10)
        self._retention.join(10)
        self._gateway.close()
        if self._signal_cli is not None:
            self._signal_cli.stop()

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
        book = AccountBook(self._store, self._feed)
        return AccountWatch(book, self._settings.config_dir, restart, Linker(self._gateway))

    def _subscription(self) -> Subscription:
        return Subscription(
            self._settings.daemon_address,
            accept=Intake(self._feed, self._stop, self.reports.storing).accept,
            report=self.reports.receiving,
            on_accounts=self._on_accounts,
            stop=self._stop,
        )

    def _retention_loop(self) -> Loop:
        retention = Retention(self._settings, self._store, self._feed)
        return retention.loop(self._stop, self.reports.trouble)

    def _make_couriers(self, lease: Lease) -> Couriers:
        rules = Rules(self._settings.webhook_allow, self._settings.webhook_deny)
        try:
            Registry(self._store, rules).set_env(self._settings.receive_webhook_url)
        except RequestError as error:
            raise SettingError(f"RECEIVE_WEBHOOK_URL cannot be used: {error}") from None
        waits_seconds = self._settings.webhook_retry_seconds
        return Couriers(self._store, self._feed, rules, waits_seconds, lease)

    # -- what they tell ------------------------------------------------------------------------

    def _on_signal_cli(self, state: State, detail: str) -> None:
        """On the supervisor's thread, at each change."""
        if because := self.reports.signal_cli(state, detail):
            self._tell_restart(because)
        if state is State.FAILED:
            self._failed(f"signal-cli cannot work like this; stopping. {detail}")

    def _tell_restart(self, because: str) -> None:
        try:
            self._feed.append([own_event("daemon.restarted", detail=because)])
        except StoreError as error:
            log.warning("the restart cannot be told in the feed: %s", error)

    def _on_accounts(self, version: str, accounts: frozenset[str]) -> None:
        """On thread receive, every few seconds."""
        self.reports.put("version", version)
        self._accounts.look(accounts)


class Reports:
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
