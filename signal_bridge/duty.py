"""What only the one daemon of a database does: signal-cli, receiving, delivering, cleaning up.

    duty ─┬─ supervisor:signal-cli ── signal-cli     (its JSON-RPC socket is its stdin)
          ├─ receive ── rpc-reader:receive ── intake ── the store
          ├─ retention
          └─ couriers ── courier-N ── the webhooks

Started in that order, stopped in reverse. Every change is put on the status board, where the web
workers read it.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable
from typing import Any, Final

from signal_bridge.clock import now_ms
from signal_bridge.delivery.webhooks.couriers import Couriers
from signal_bridge.delivery.webhooks.registry import Registry
from signal_bridge.errors import RequestError, SettingError, StoreError
from signal_bridge.feed.feed import Feed
from signal_bridge.feed.own import own_event
from signal_bridge.session.gateway import Gateway
from signal_bridge.session.lives import PROCESS, Deaths, Process
from signal_bridge.session.missing_accounts import BOOK, KNOWN, UNKNOWN
from signal_bridge.session.subscription import Subscription
from signal_bridge.store.engine import Store
from signal_bridge.store.status import OUTDATED, StatusBoard
from signal_bridge.supervisor.memory import resident_bytes
from signal_bridge.supervisor.states import State
from signal_bridge.supervisor.supervisor import RESTARTED, Policy, Supervisor
from signal_bridge.threads import Guard, Loop

log = logging.getLogger(__name__)

# signal-cli: 1 is a user error (signal-cli.rst 4.3), such as an option it does not know.
SIGNAL_CLI_POLICY: Final = Policy(hopeless_exit_codes=frozenset({1}))
# How a state is called on the status board, where it is not "down".
_WORDS: Final = {State.RUNNING: "running", State.UNUSABLE: OUTDATED}


@dataclasses.dataclass(frozen=True)
class Duty:
    """The parts, as compose.py builds them. `start` and `stop` once each, from one thread.

    `signal_cli` is None for a daemon of somebody else's, `gateway` is the one it is probed with.
    """

    reports: Reports
    feed: Feed
    gateway: Gateway
    signal_cli: Supervisor | None
    receiving: Subscription
    retention: Loop
    registry: Registry
    receive_webhook_url: str | None
    couriers: Couriers

    def start(self) -> None:
        """Raises SettingError for a RECEIVE_WEBHOOK_URL that cannot be used, or StoreError."""
        self._register_webhook()
        self.reports.begin()
        if self.signal_cli is not None:
            self.signal_cli.start()
        self.receiving.start()
        self.retention.start()
        self.couriers.start()

    def stop(self) -> None:
        """In reverse, after its `stop` was set: no request may need what is gone already."""
        self.couriers.stop()
        self.feed.close()
        self.retention.join(10)
        self.receiving.join(seconds=10)
        self.gateway.close()
        if self.signal_cli is not None:
            self.signal_cli.stop()

    def _register_webhook(self) -> None:
        try:
            self.registry.set_env(self.receive_webhook_url)
        except RequestError as error:
            raise SettingError(f"RECEIVE_WEBHOOK_URL cannot be used: {error}") from None


class Reports:
    """Puts on the status board how the parts are. It is for show: without it, work goes on.

    `failed(sentence)` is called when signal-cli cannot work with this configuration.
    """

    def __init__(
        self, store: Store, feed: Feed, supervised: bool, failed: Callable[[str], None]
    ) -> None:
        self.board = StatusBoard(store)
        self._feed = feed
        self._supervised = supervised
        self._failed = failed
        # Why signal-cli went down; empty while it has not. The supervisor's thread only.
        self._down_because = ""
        # Whether Signal refused its version when it ran last. The same thread.
        self._outdated = False
        # Its process, and what it died of. The same thread.
        self._process = Process()
        self._deaths = Deaths(self.board)
        # Why nothing can be stored; empty while it can. Written by the reader thread.
        self._not_stored_because = ""
        # One for each part, whose thread is the only one to use it.
        self._recording: dict[str, Guard] = {}

    def begin(self) -> None:
        """Nothing is left of an earlier process. Raises StoreError."""
        self.board.forget()
        self.put("signal-cli", "down", "starting")
        self.put("receive", "down", "starting")

    def signal_cli(self, state: State, detail: str) -> None:
        """A change of our signal-cli, on its supervisor's thread.

        That it runs again is told in the feed, with why it had gone down.
        """
        if state is not State.STARTING:
            self._outdated = state is State.UNUSABLE
        if not (self._outdated and state is State.STARTING):  # of that start nobody expects much
            self.put("signal-cli", _WORDS.get(state, "down"), detail)
        if state in (State.BACKING_OFF, State.UNUSABLE):
            self._down_because = detail
            self._note_exit(detail)
        if state is State.RUNNING and self._down_because:
            because, self._down_because = self._down_because, ""
            self._tell_restart(because)
            self._note_restart(because)
        if state is State.FAILED:
            self._failed(f"signal-cli cannot work like this; stopping. {detail}")

    def signal_cli_answers(self, pid: int) -> None:
        """It has just answered its probe, on the same thread, every few seconds."""
        self._note(pid=pid, memory_bytes=resident_bytes(pid))

    def receiving(self, receiving: bool, detail: str) -> None:
        """How receiving is; of somebody else's signal-cli that is all we know."""
        state = "running" if receiving else "down"
        if not self._supervised:
            self.put("signal-cli", state, detail)
        if receiving and self._not_stored_because:
            state, detail = "down", self._not_stored_because
        self.put("receive", state, detail)

    def accounts_known(self, known: bool) -> None:
        """After a look at the accounts: whether signal-cli says which it has loaded."""
        self.put(BOOK, KNOWN if known else UNKNOWN)

    def storing(self, error: StoreError | None) -> None:
        """Whether what arrives can be stored: while it cannot, receiving waits."""
        self._not_stored_because = str(error or "")
        self.put("receive", "down" if error else "running", str(error or "receiving again"))

    def trouble(self, name: str, trouble: str | None) -> None:
        """What a loop of ours is kept from doing; None once it works again."""
        self.put(name, "down" if trouble else "running", trouble or "")

    def put(self, name: str, state: str, detail: str = "") -> None:
        """Never raises: a part does not stop because nobody can read how it is."""
        guard = self._recording.setdefault(name, Guard(f"recording the status of {name}"))
        guard.goes_well(self.board.put, name, state, detail)

    def _note_exit(self, detail: str) -> None:
        """Without what it said, which may name an account, and what becomes of it."""
        how = detail.partition("; ")[0]
        self._note(pid=0, memory_bytes=0, last_exit_ms=now_ms(), last_exit=how)

    def _note_restart(self, because: str) -> None:
        """By now every worker has noted what was in flight when it died."""
        self._note(restarts=self._process.restarts + 1)
        if because.startswith(RESTARTED):
            return
        try:
            self._note(suspicion=self._deaths.learn(self._process.last_exit_ms))
        except StoreError as error:
            log.warning("what signal-cli died of cannot be looked up: %s", error)

    def _note(self, **seen: Any) -> None:
        self._process = dataclasses.replace(self._process, **seen)
        self.put(PROCESS, "seen", self._process.as_text())

    def _tell_restart(self, because: str) -> None:
        try:
            self._feed.append([own_event("daemon.restarted", detail=because)])
        except StoreError as error:
            log.warning("the restart cannot be told in the feed: %s", error)
