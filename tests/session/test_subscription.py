"""One connection that receives for all accounts, whatever happens to it."""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from signal_bridge.errors import StoreUnavailable
from signal_bridge.feed.envelope import arrival_of
from signal_bridge.rpc.client import Client
from signal_bridge.session import subscription as module
from signal_bridge.session.subscription import Subscription
from tests.support import ScriptedDaemon, eventually, free_port
from tests.support.scripted_daemon import (
    VERSION,
    as_line,
    error,
    receive_line,
    result,
    silence,
    text_envelope,
)

ACCOUNT = "+4915112345"


class Receiver:
    """What a subscription told whoever started it."""

    def __init__(self) -> None:
        self.accepted: list[Any] = []
        self.batches: list[int] = []
        self.reports: list[tuple[bool, str]] = []
        self.accounts: list[tuple[str, frozenset[str] | None]] = []
        self.hurry = False
        self.stop = threading.Event()
        # What its handlers raise, one after the other, before they do what they are for.
        self.accept_raises: list[Exception] = []
        self.report_raises: list[Exception] = []
        self.on_accounts_raises: list[Exception] = []

    def accept(self, params: Sequence[Any]) -> None:
        raise_next(self.accept_raises)
        self.batches.append(len(params))
        self.accepted.extend(params)

    def report(self, well: bool, detail: str) -> None:
        raise_next(self.report_raises)
        self.reports.append((well, detail))

    def on_accounts(self, version: str, accounts: frozenset[str] | None) -> bool:
        raise_next(self.on_accounts_raises)
        self.accounts.append((version, accounts))
        return self.hurry

    @property
    def texts(self) -> list[str]:
        return [one["result"]["envelope"]["dataMessage"]["message"] for one in self.accepted]

    def wait_for_texts(self, *texts: str) -> None:
        eventually(lambda: self.texts == list(texts), 20, lambda: f"{texts}, not {self.texts}")


def raise_next(errors: list[Exception]) -> None:
    if errors:
        raise errors.pop(0)


Start = Callable[..., Receiver]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ACCOUNTS_EVERY_SECONDS", 0.05)
    monkeypatch.setattr(module, "_FIRST_RETRY_SECONDS", 0.02)
    monkeypatch.setattr(module, "_LONGEST_RETRY_SECONDS", 0.05)


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[tuple[Receiver, Subscription]] = []

    def start(address: str, **handlers: Any) -> Receiver:
        receiver = Receiver()
        subscription = Subscription(
            address,
            handlers.get("accept", receiver.accept),
            receiver.report,
            receiver.on_accounts,
            receiver.stop,
        )
        started.append((receiver, subscription))
        subscription.start()
        return receiver

    yield start
    for receiver, subscription in started:
        receiver.stop.set()
        assert subscription.join(30)


@pytest.fixture
def daemon() -> Iterator[ScriptedDaemon]:
    with ScriptedDaemon(accounts=[ACCOUNT]) as daemon:
        yield daemon


def notify(daemon: ScriptedDaemon, *texts: str) -> None:
    envelopes = [text_envelope("+491", text, 1) for text in texts]
    daemon.notify(ACCOUNT, *envelopes)


def methods(daemon: ScriptedDaemon) -> list[str]:
    return [request.method for request in daemon.requests]


def test_it_subscribes_once_for_all_accounts(daemon: ScriptedDaemon, start: Start) -> None:
    daemon.accounts.append("+4915199999")
    receiver = start(daemon.address)
    daemon.wait_for("listAccounts", 4)
    assert len(daemon.asked("subscribeReceive")) == 1
    assert daemon.asked("subscribeReceive")[0].params is None
    assert daemon.asked("unsubscribeReceive") == []
    assert daemon.asked("receive") == []
    assert set(receiver.accounts) == {(VERSION, frozenset({ACCOUNT, "+4915199999"}))}
    assert set(receiver.reports) == {(True, "subscribed for 2 accounts")}


def test_what_arrives_is_handed_over_in_order(daemon: ScriptedDaemon, start: Start) -> None:
    receiver = start(daemon.address)
    daemon.wait_subscribed()
    notify(daemon, "a", "b")
    notify(daemon, "c")
    receiver.wait_for_texts("a", "b", "c")


def test_notifications_of_another_kind_are_none_of_its_business(
    daemon: ScriptedDaemon, start: Start
) -> None:
    receiver = start(daemon.address)
    daemon.wait_subscribed()
    daemon.push(as_line({"jsonrpc": "2.0", "method": "somethingElse", "params": {}}))
    notify(daemon, "a")
    receiver.wait_for_texts("a")


def test_when_the_accounts_change_it_subscribes_anew_before_it_unsubscribes(
    daemon: ScriptedDaemon, start: Start
) -> None:
    daemon.on("subscribeReceive", result(3), result(4), result(5))
    receiver = start(daemon.address)
    daemon.wait_subscribed()
    daemon.accounts.append("+4915199999")
    daemon.wait_for("unsubscribeReceive")
    daemon.accounts.remove(ACCOUNT)
    daemon.wait_for("unsubscribeReceive", 2)
    eventually(lambda: len(set(receiver.accounts)) == 3, what="three sets of accounts")
    changes = [method for method in methods(daemon) if "ubscribe" in method]
    assert changes == ["subscribeReceive", "subscribeReceive", "unsubscribeReceive",
                       "subscribeReceive", "unsubscribeReceive"]  # fmt: skip
    assert [one.params for one in daemon.asked("unsubscribeReceive")] == [
        {"subscription": 3},
        {"subscription": 4},
    ]
    assert len(daemon.connections) == 1


def test_an_account_that_falls_silent_gets_a_receiver_of_its_own_anew(
    daemon: ScriptedDaemon, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old subscription goes first: only the last to go ends the receiver that died."""
    monkeypatch.setattr(module, "_SILENT_SECONDS", 0.2)
    receiver = start(daemon.address)
    daemon.wait_for("subscribeReceive", 3)
    changes = [method for method in methods(daemon) if "ubscribe" in method]
    assert changes[:5] == ["subscribeReceive", *["unsubscribeReceive", "subscribeReceive"] * 2]
    assert len(daemon.connections) == 1
    notify(daemon, "a")
    receiver.wait_for_texts("a")


def test_without_an_account_it_subscribes_too_and_says_so(start: Start) -> None:
    with ScriptedDaemon() as daemon:
        receiver = start(daemon.address)
        daemon.wait_subscribed()
        eventually(lambda: (VERSION, frozenset()) in receiver.accounts, what="the telling")


def test_after_a_lost_connection_it_subscribes_again(daemon: ScriptedDaemon, start: Start) -> None:
    receiver = start(daemon.address)
    daemon.wait_subscribed()
    notify(daemon, "before")
    receiver.wait_for_texts("before")
    daemon.drop_connections()
    daemon.wait_subscribed()
    notify(daemon, "after")
    receiver.wait_for_texts("before", "after")
    assert (False, "the connection to signal-cli was lost") in receiver.reports
    eventually(lambda: receiver.reports[-1][0], what="a report that all is well")


def test_after_a_restart_of_the_daemon_it_subscribes_again(
    daemon: ScriptedDaemon, start: Start
) -> None:
    receiver = start(daemon.address)
    daemon.wait_subscribed()
    daemon.stop()
    eventually(
        lambda: any("cannot be reached" in detail for _, detail in receiver.reports),
        what="a report that nobody is there",
    )
    daemon.start()
    daemon.wait_subscribed()
    notify(daemon, "a")
    receiver.wait_for_texts("a")


def test_it_waits_for_a_daemon_that_starts_later(start: Start) -> None:
    port = free_port()
    receiver = start(f"tcp:127.0.0.1:{port}")
    eventually(lambda: receiver.reports, what="a report")
    assert receiver.reports[0][0] is False
    daemon = ScriptedDaemon(accounts=[ACCOUNT])
    daemon._port = port
    with daemon:
        daemon.wait_subscribed()


def test_nothing_more_is_read_until_the_batch_in_hand_is_taken(
    daemon: ScriptedDaemon, start: Start
) -> None:
    go_on, taken = threading.Event(), []

    def accept(params: Sequence[Any]) -> None:
        taken.append(len(params))
        assert go_on.wait(30)

    start(daemon.address, accept=accept)
    daemon.wait_subscribed()
    notify(daemon, "a", "b")
    eventually(lambda: taken, what="the first batch")
    asked = len(daemon.asked("listAccounts"))
    notify(daemon, "c")
    # Not even a reply: its next look at the accounts is not answered before.
    daemon.wait_for("listAccounts", asked)
    assert sum(taken) <= 2
    go_on.set()
    eventually(lambda: sum(taken) == 3, what="the rest")


def test_what_could_not_be_taken_ends_the_connection_and_it_begins_anew(
    daemon: ScriptedDaemon, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    receiver = start(daemon.address)
    receiver.accept_raises = [RuntimeError("no room") for _ in range(3)]
    for attempt in range(1, 4):
        first = daemon.wait_subscribed()
        notify(daemon, "a")
        daemon.wait_for("subscribeReceive", attempt + 1)
        first.subscribed = False
    daemon.wait_subscribed()
    notify(daemon, "a again")
    receiver.wait_for_texts("a again")
    assert (False, "what arrived cannot be taken; the log says why") in receiver.reports
    assert caplog.text.count("RuntimeError: no room") == 1


# -- what nobody expected ----------------------------------------------------------------------


def test_an_error_nobody_expected_does_not_end_receiving(
    daemon: ScriptedDaemon,
    start: Start,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    connect, errors = module.connect, [ValueError("odd"), KeyError("odd"), MemoryError()]

    def connect_at_last(*arguments: Any) -> Any:
        raise_next(errors)
        return connect(*arguments)

    monkeypatch.setattr(module, "connect", connect_at_last)
    receiver = start(daemon.address)
    daemon.wait_subscribed()
    notify(daemon, "a")
    receiver.wait_for_texts("a")
    assert receiver.reports[:2] == [
        (False, "an unexpected error (ValueError), which the log shows"),
        (False, "an unexpected error (KeyError), which the log shows"),
    ]
    assert caplog.text.count("ValueError: odd") == 1


def test_a_connection_that_is_lost_is_logged_once_and_when_it_is_back(
    daemon: ScriptedDaemon, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    start(daemon.address)
    daemon.wait_subscribed()
    daemon.stop()
    daemon.start()
    daemon.wait_subscribed()
    eventually(lambda: "receive works again" in caplog.text, what="the good news")
    assert caplog.text.count("receive: the connection to signal-cli was lost") == 1


@pytest.mark.parametrize(
    ("error", "logged"),
    [
        (StoreUnavailable("the database is busy"), "the database is busy"),
        (ValueError("odd"), "ValueError: odd"),
    ],
)
def test_receiving_does_not_depend_on_who_is_told_of_it(
    daemon: ScriptedDaemon,
    start: Start,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    logged: str,
) -> None:
    caplog.set_level(logging.INFO)
    receiver = start(daemon.address)
    daemon.wait_subscribed()
    receiver.report_raises = [error] * 4
    receiver.on_accounts_raises = [error] * 4
    eventually(lambda: not receiver.on_accounts_raises, what="four looks at the accounts")
    notify(daemon, "a")
    receiver.wait_for_texts("a")
    eventually(lambda: caplog.text.count("works again") == 2, what="the good news")
    assert len(daemon.asked("subscribeReceive")) == 1
    assert caplog.text.count(logged) == 2


# -- what signal-cli refuses, or answers oddly --------------------------------------------------


def test_a_refused_subscription_is_reported_and_tried_again(
    daemon: ScriptedDaemon, start: Start
) -> None:
    daemon.on("subscribeReceive", error(-1, "not now"), result(0))
    receiver = start(daemon.address)
    daemon.wait_subscribed()
    eventually(lambda: receiver.accounts, what="a subscription")
    assert receiver.reports[0] == (False, "not now")


@pytest.mark.parametrize("method", ["version", "listAccounts"])
def test_receiving_can_do_without_the_version_and_the_accounts(
    daemon: ScriptedDaemon, start: Start, method: str
) -> None:
    daemon.on(method, error(-32601, "Method not implemented"))
    receiver = start(daemon.address)
    daemon.wait_subscribed()
    notify(daemon, "a")
    receiver.wait_for_texts("a")
    assert all(receiving for receiving, _ in receiver.reports)


def test_while_the_store_takes_nothing_no_second_connection_takes_more(
    daemon: ScriptedDaemon, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A question that is not answered, since its answer is not read, ends the connection."""
    monkeypatch.setattr(module, "_ANSWER_SECONDS", 0.3)
    monkeypatch.setattr(module, "_ACCOUNTS_EVERY_SECONDS", 0.05)
    monkeypatch.setattr(module, "_LONGEST_RETRY_SECONDS", 0.05)
    room, taken = threading.Event(), list[object]()

    def accept(params: Sequence[object]) -> None:
        room.wait(20)
        taken.extend(params)

    start(daemon.address, accept=accept)
    daemon.wait_subscribed()
    notify(daemon, "a")
    asked = len(daemon.asked("subscribeReceive"))
    threading.Event().wait(2)  # time enough for several questions to fail
    assert len(daemon.asked("subscribeReceive")) == asked
    room.set()
    eventually(lambda: len(taken) == 1, what="the message")


@pytest.mark.parametrize("nonsense", [None, {}, "x", 5])
def test_receiving_does_not_depend_on_a_list_of_accounts_that_makes_sense(
    daemon: ScriptedDaemon, start: Start, nonsense: object
) -> None:
    daemon.on("listAccounts", result(nonsense))
    receiver = start(daemon.address)
    daemon.wait_subscribed()
    notify(daemon, "a")
    receiver.wait_for_texts("a")
    eventually(lambda: receiver.accounts, what="the accounts")
    assert set(receiver.accounts) == {(VERSION, None)}


def test_receiving_goes_on_while_the_list_of_accounts_is_held_up(
    daemon: ScriptedDaemon, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """signal-cli 0.14 answers nothing about accounts while it loads one."""
    monkeypatch.setattr(module, "_LIST_SECONDS", 0.3)
    receiver = start(daemon.address)
    connection = daemon.wait_subscribed()
    eventually(lambda: receiver.accounts, what="the accounts")
    daemon.on("listAccounts", silence)
    looks = len(receiver.accounts)
    eventually(lambda: len(receiver.accounts) >= looks + 3, what="looks all the same")
    notify(daemon, "a")
    receiver.wait_for_texts("a")
    assert set(receiver.accounts) == {(VERSION, frozenset({ACCOUNT}))}
    assert daemon.connections == [connection]


def test_a_list_that_is_held_up_from_the_beginning_is_no_empty_one(
    daemon: ScriptedDaemon, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LIST_SECONDS", 0.3)
    daemon.on("listAccounts", silence, silence, result([{"number": ACCOUNT}]))
    receiver = start(daemon.address)
    daemon.wait_subscribed()
    eventually(lambda: receiver.accounts, what="the accounts")
    assert set(receiver.accounts) == {(VERSION, frozenset({ACCOUNT}))}


def test_it_looks_again_soon_when_it_is_told_to(
    daemon: ScriptedDaemon, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_ACCOUNTS_EVERY_SECONDS", 3600)
    monkeypatch.setattr(module, "_SOON_SECONDS", 0.02)
    receiver = start(daemon.address)
    receiver.hurry = True
    daemon.wait_for("listAccounts", 5)


@pytest.mark.parametrize("version", [None, [], {}, {"version": 5}])
def test_a_version_that_is_none_is_unknown(
    daemon: ScriptedDaemon, start: Start, version: object
) -> None:
    daemon.on("version", result(version))
    receiver = start(daemon.address)
    eventually(lambda: receiver.accounts, what="a subscription")
    assert receiver.accounts[0][0] == "unknown"


def test_nonsense_among_what_arrives_harms_nobody(daemon: ScriptedDaemon, start: Start) -> None:
    receiver = start(daemon.address)
    daemon.wait_subscribed()
    good = receive_line(ACCOUNT, text_envelope("+491", "good", 1))
    daemon.push(b"not json\n", good, b'{"id":null}\n', b"[]\n", good)
    receiver.wait_for_texts("good", "good")
    assert len(daemon.connections) == 1


def test_a_message_whose_text_is_broken_arrives_but_for_what_is_broken(
    daemon: ScriptedDaemon, start: Start
) -> None:
    receiver = start(daemon.address)
    daemon.wait_subscribed()
    line = receive_line(ACCOUNT, text_envelope("+491", "TEXT", 1))
    daemon.push(*(line.replace(b"TEXT", raw) for raw in (rb"half \ud83d pair", b"caf\xe9", b"x")))
    receiver.wait_for_texts("half \ufffd pair", "caf\ufffd", "x")
    assert len(daemon.connections) == 1


def test_what_arrives_and_cannot_be_read_is_told_as_an_error_in_its_place(
    daemon: ScriptedDaemon, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    receiver = start(daemon.address)
    daemon.wait_subscribed()
    first = receive_line(ACCOUNT, text_envelope("+491", "first", 1764000000001))
    broken = first.replace(b'"first"', b"SECRET")
    other = first.replace(b'"first"', b"OTHERS")
    daemon.push(first, broken, other, first)
    eventually(lambda: len(receiver.accepted) == 4, what="all four")
    arrivals = [arrival_of(params) for params in receiver.accepted]
    assert [arrival.kind for arrival in arrivals] == ["message", "error", "error", "message"]
    assert {arrival.account for arrival in arrivals} == {ACCOUNT}
    assert len({arrival.dedup_key for arrival in arrivals}) == 3
    told = receiver.accepted[1]
    assert told["envelope"]["timestamp"] == 1764000000001
    assert told["exception"]["type"] == "UnreadableNotification"
    assert f"a line of {len(broken) - 1} bytes that is not JSON" in told["exception"]["message"]
    assert caplog.text.count("something that arrived is lost") == 2
    assert "SECRET" not in caplog.text + str(told)


def test_a_notification_that_is_too_long_is_told_as_an_error(
    daemon: ScriptedDaemon, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "Client", functools.partial(Client, max_line_bytes=20_000))
    receiver = start(daemon.address)
    daemon.wait_subscribed()
    daemon.push(receive_line(ACCOUNT, text_envelope("+491", "x" * 30_000, 1764000000001)))
    eventually(lambda: receiver.accepted, what="what stands for it")
    (told,) = receiver.accepted
    assert (told["account"], told["envelope"]["timestamp"]) == (ACCOUNT, 1764000000001)
    assert "longer than allowed" in told["exception"]["message"]


def test_a_burst_of_ten_thousand_in_one_write_arrives_whole_and_in_order(
    daemon: ScriptedDaemon, start: Start
) -> None:
    receiver = start(daemon.address)
    daemon.wait_subscribed()
    notify(daemon, *map(str, range(10_000)))
    eventually(lambda: len(receiver.accepted) == 10_000, 60, "all of the burst")
    assert receiver.texts == [str(number) for number in range(10_000)]


def test_a_stop_ends_it_while_it_waits_for_a_daemon(start: Start) -> None:
    receiver = start(f"tcp:127.0.0.1:{free_port()}")
    eventually(lambda: receiver.reports, what="a report")
