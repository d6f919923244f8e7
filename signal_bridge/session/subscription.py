"""The one connection that receives, for all accounts.

signal-cli runs with `--receive-mode manual`: it takes messages from Signal only while somebody is
subscribed, and a message nobody is subscribed for stays with Signal. Subscribing is therefore the
last step, after the store can take what comes (signal-cli.rst 1.7, 1.8).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from signal_bridge.clock import Deadline
from signal_bridge.errors import BridgeError, CallTimedOut, ConnectionLost, Refused
from signal_bridge.feed.envelope import account_of, params_in_place_of
from signal_bridge.rpc.client import Client, connect
from signal_bridge.rpc.jsonrpc import Lost, Notice
from signal_bridge.signalcli.refusals import refusal
from signal_bridge.signalcli.versions import UNKNOWN
from signal_bridge.threads import Guard, Loop

log = logging.getLogger(__name__)

_ANSWER_SECONDS: Final = 20.0
# Its list of accounts is held up while it loads one (signal-cli.rst 1.6).
_LIST_SECONDS: Final = 10.0
_ACCOUNTS_EVERY_SECONDS: Final = 2.0
_SOON_SECONDS: Final = 0.3
# Quiet accounts are normal; this only bounds how long a dead receiver goes unnoticed.
_SILENT_SECONDS: Final = 6 * 3600.0
_FIRST_RETRY_SECONDS: Final = 0.2
_LONGEST_RETRY_SECONDS: Final = 5.0

# Told of how receiving is, at least every few seconds: whether it works, and a sentence. Neither
# this nor the next can disturb receiving: what they raise is logged.
Report = Callable[[bool, str], None]
# Told of signal-cli's version and, every few seconds, of the accounts it has loaded: None when it
# does not say. Answers whether to look again soon.
OnAccounts = Callable[[str, frozenset[str] | None], bool]


class Subscription:
    """Keeps one subscription for all accounts on a connection of its own.

    Thread `receive` connects, subscribes and watches the list of accounts; notifications go to
    `accept(params)` on the connection's reader thread, which reads on only after it returned.

    `named` are the accounts that messages were for and that signal-cli did not list, as one that
    was started for a single account lists none.
    """

    def __init__(
        self,
        address: str,
        accept: Callable[[Sequence[Any]], None],
        report: Report,
        on_accounts: OnAccounts,
        stop: threading.Event,
    ) -> None:
        self._address = address
        self._accept = accept
        self._tell = report
        self._telling = Guard("telling how receiving is")
        self._on_accounts = on_accounts
        self._looking = Guard("looking at the accounts")
        # Whether the accounts may be others before long. Thread receive only.
        self._hurry = False
        self._stop = stop
        # Cleared while a batch is being stored: until then nothing more is read or asked.
        self._stored = threading.Event()
        self._stored.set()
        # When each account was last heard of. The reader's thread only renews entries.
        self._heard: dict[str, float] = {}
        # The accounts that messages were for. Replaced as a whole, by the reader's thread.
        self.named: frozenset[str] = frozenset()
        # The connection of the moment. Written by thread receive.
        self._client: Client | None = None
        self._taking = Guard("taking what arrives", stop=stop)
        self._loop = Loop(
            "receive",
            self._receive,
            stop,
            report=self._report_trouble,
            first_wait_seconds=_FIRST_RETRY_SECONDS,
            longest_wait_seconds=_LONGEST_RETRY_SECONDS,
        )

    def start(self) -> None:
        """Receive from now on, whenever signal-cli answers. Once."""
        self._loop.start()

    def join(self, seconds: float) -> bool:
        """Wait for the end after `stop` was set; True when it has ended.

        An answer that is due is not waited for.
        """
        client = self._client
        if client is not None:
            client.close()
        return self._loop.join(seconds)

    def _receive(self) -> None:
        """One connection, from its first answer to its end, which is an error before a stop."""
        self._wait_until_stored()
        connection = connect(self._address, Deadline(_ANSWER_SECONDS))
        client = self._client = Client(connection, "receive", on_notices=self._on_notices)
        try:
            self._follow_accounts(client, _version_in(_ask_kindly(client, "version")))
        finally:
            client.close()

    def _follow_accounts(self, client: Client, version: str) -> None:
        """Subscribe, and again whenever an account appears, goes or falls silent, until the end."""
        subscribed: frozenset[str] | None = None
        subscription: Any = None
        while not self._stop.is_set():
            listed = _listed_by(client, subscribed)
            accounts = frozenset(subscribed or ()) if listed is None else listed
            if accounts != subscribed:
                subscription = self._subscribe_anew(client, subscription)
                subscribed = accounts
                self._heard = dict.fromkeys(accounts, time.monotonic())
            elif self._is_one_silent():
                subscription = self._revive(client, subscription)
            self._looking.goes_well(self._look, version, listed)
            self._report(True, f"subscribed for {len(accounts)} accounts")
            if client.wait_until_lost(_SOON_SECONDS if self._hurry else _ACCOUNTS_EVERY_SECONDS):
                raise ConnectionLost(client.lost_because, request_written=False)
            self._loop.works()  # not before: what arrives first may be what cannot be taken
            self._wait_until_stored()

    def _look(self, version: str, listed: frozenset[str] | None) -> None:
        self._hurry = False  # if this raises
        self._hurry = self._on_accounts(version, listed)

    def _report(self, receiving: bool, detail: str) -> None:
        self._telling.goes_well(self._tell, receiving, detail)

    def _report_trouble(self, _name: str, trouble: str | None) -> None:
        """That it works again is reported where it does."""
        if trouble is not None:
            self._report(False, trouble)

    def _wait_until_stored(self) -> None:
        """While the store takes nothing, answers are not read either; asking would be in vain.

        A new connection would only take more from signal-cli that cannot be kept.
        """
        while not self._stored.wait(_LONGEST_RETRY_SECONDS):
            if self._stop.is_set():
                return

    def _subscribe_anew(self, client: Client, old: Any) -> Any:
        """The new subscription first: between the two nothing is missed, doubles are known."""
        new = _ask(client, "subscribeReceive")
        if old is not None:
            _ask(client, "unsubscribeReceive", {"subscription": old})
        return new

    def _is_one_silent(self) -> bool:
        oldest = min(list(self._heard.values()), default=time.monotonic())
        return time.monotonic() - oldest > _SILENT_SECONDS

    def _revive(self, client: Client, old: Any) -> Any:
        """A receiving thread of signal-cli can die alone; one that nobody needs is made anew.

        So the old subscription goes first, unlike above: only the last handler to go ends it.
        What arrives between the two stays with Signal.
        """
        log.info("an account was silent for long; subscribing anew")
        _ask(client, "unsubscribeReceive", {"subscription": old})
        self._heard = dict.fromkeys(self._heard, time.monotonic())
        return _ask(client, "subscribeReceive")

    def _on_notices(self, notices: Sequence[Notice | Lost]) -> None:
        received = [_params_of(notice) for notice in notices if notice.method == "receive"]
        if not received:
            return
        self._stored.clear()
        taken = self._taking.goes_well(self._accept, received)
        self._stored.set()
        if not taken:  # the connection ends with it: nothing may be read past what was not taken
            raise BridgeError("what arrived cannot be taken; the log says why")
        for account in map(account_of, received):
            if account in self._heard:
                self._heard[account] = time.monotonic()
            elif account and account not in self.named:
                self.named |= {account}


def _params_of(notice: Notice | Lost) -> Any:
    """What arrived; in place of what cannot be read, an error that readers are told of."""
    if isinstance(notice, Notice):
        return notice.params
    log.error("something that arrived is lost, and an error is told instead: %s", notice.why)
    why = f"{notice.why} ({notice.digest})"
    return params_in_place_of(notice.account, notice.timestamp_ms, why)


def _ask(
    client: Client,
    method: str,
    params: dict[str, Any] | None = None,
    seconds: float | None = None,
) -> Any:
    reply = client.call(method, params, Deadline(seconds or _ANSWER_SECONDS))
    if reply.error is not None:
        raise refusal(reply.error)
    return reply.result


def _ask_kindly(client: Client, method: str, seconds: float | None = None) -> Any:
    """`_ask`, for what receiving can do without: None when signal-cli refuses."""
    try:
        return _ask(client, method, None, seconds)
    except Refused as error:
        log.debug("signal-cli refused %s: %s", method, error)
        return None


def _version_in(result: Any) -> str:
    version = result.get("version") if isinstance(result, dict) else None
    return version if isinstance(version, str) else UNKNOWN


def _listed_by(client: Client, known: frozenset[str] | None) -> frozenset[str] | None:
    """The accounts that signal-cli has loaded; None when it does not say.

    While it loads one it answers nothing about accounts. If it lives all the same, those `known`
    are still there, and receiving goes on.
    """
    try:
        return _accounts_in(_ask_kindly(client, "listAccounts", _LIST_SECONDS))
    except CallTimedOut:
        if known is None:
            raise
        _ask(client, "version", None, _LIST_SECONDS)
        return known


def _accounts_in(result: Any) -> frozenset[str] | None:
    if not isinstance(result, list):
        return None
    return frozenset(
        str(row["number"]) for row in result if isinstance(row, dict) and row.get("number")
    )
