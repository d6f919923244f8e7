"""What a worker knows of accounts that signal-cli has not loaded, and when it rather asks."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from signal_bridge.clock import now_ms
from signal_bridge.errors import (
    AccountNotLoaded,
    AccountUnlinked,
    BridgeError,
    Refused,
    StoreUnavailable,
    UnknownAccount,
)
from signal_bridge.rpc.jsonrpc import Reply
from signal_bridge.session import missing_accounts as module
from signal_bridge.session.gateway import Gateway
from signal_bridge.session.missing_accounts import BOOK, KNOWN, UNKNOWN, MissingAccounts
from signal_bridge.settings import Settings
from signal_bridge.signalcli import accounts
from signal_bridge.signalcli.call import Call
from signal_bridge.signalcli.refusals import refusal
from signal_bridge.store.status import Status
from tests.session.conftest import Board
from tests.support import ScriptedDaemon
from tests.support.scripted_daemon import error, result

ONE, TWO = "+4915100001", "+4915100002"
SEND = Call("send", {"account": ONE, "message": "hi"})


class Book:
    """The account book as the daemon process wrote it."""

    def __init__(self) -> None:
        self.missing_ones: dict[str, str] = {}
        self.linked_ones: tuple[str, ...] = ()
        self.wake: Callable[[], None] | None = None
        self.reads = 0
        self.fails = False

    def missing(self) -> dict[str, str]:
        self.reads += 1
        if self.fails:
            raise StoreUnavailable("the database is busy")
        return self.missing_ones

    def states(self) -> dict[str, str]:
        if self.fails:
            raise StoreUnavailable("the database is busy")
        return dict.fromkeys(self.missing_ones, "missing") | dict.fromkeys(
            self.linked_ones, "linked"
        )

    def on_change(self, wake: Callable[[], None]) -> None:
        self.wake = wake


@pytest.fixture
def book() -> Book:
    return Book()


@pytest.fixture
def missing(book: Book, board: Board, tmp_path: Path) -> MissingAccounts:
    say(board, KNOWN)
    made = MissingAccounts(book, board, tmp_path)  # type: ignore[arg-type]
    made.listen()
    return made


def say(board: Board, state: str, seconds_ago: float = 0) -> None:
    beat_ms = now_ms() - int(seconds_ago * 1000)
    board.said[BOOK] = Status(BOOK, state, "", beat_ms, beat_ms)


def is_refused(missing: MissingAccounts, call: Call = SEND) -> bool:
    try:
        missing.refuse(call)
    except AccountNotLoaded:
        return True
    return False


def test_a_call_for_one_that_is_missing_is_refused_with_the_reason(
    book: Book, missing: MissingAccounts
) -> None:
    book.missing_ones = {ONE: "no network"}
    missing.read()
    with pytest.raises(AccountNotLoaded, match="no network"):
        missing.refuse(SEND)
    assert not is_refused(missing, Call("send", {"account": TWO}))
    assert not is_refused(missing, Call("listAccounts"))
    assert not is_refused(missing, accounts.register(ONE))


def test_it_is_known_from_the_first_call_on(book: Book, board: Board, tmp_path: Path) -> None:
    say(board, KNOWN)
    book.missing_ones = {ONE: "no network"}
    fresh = MissingAccounts(book, board, tmp_path)  # type: ignore[arg-type]
    fresh.listen()
    assert is_refused(fresh)


@pytest.mark.parametrize(
    ("state", "seconds_ago"),
    [(UNKNOWN, 0), (KNOWN, 3600), (None, 0)],
    ids=["signal-cli does not list them", "the daemon process is gone", "it has just begun"],
)
def test_when_the_book_is_not_known_to_be_true_signal_cli_is_asked(
    book: Book, board: Board, missing: MissingAccounts, state: str | None, seconds_ago: float
) -> None:
    board.said.clear()
    if state is not None:
        say(board, state, seconds_ago)
    book.missing_ones = {ONE: "no network"}
    missing.read()
    assert not is_refused(missing)


def test_what_was_read_long_ago_refuses_nothing(
    book: Book, missing: MissingAccounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    book.missing_ones = {ONE: "no network"}
    missing.read()
    book.fails = True
    assert is_refused(missing)
    monkeypatch.setattr(module, "_OLDEST_READING_SECONDS", 0.0)
    assert not is_refused(missing)


def test_one_that_is_back_is_refused_no_more_though_its_bell_was_not_heard_yet(
    book: Book, missing: MissingAccounts
) -> None:
    book.missing_ones = {ONE: "no network"}
    missing.read()
    book.missing_ones = {}
    assert not is_refused(missing)


def test_a_database_that_is_away_when_it_begins_refuses_nothing(
    book: Book, board: Board, tmp_path: Path
) -> None:
    book.fails = True
    fresh = MissingAccounts(book, board, tmp_path)  # type: ignore[arg-type]
    fresh.listen()
    assert not is_refused(fresh)
    assert fresh.explain(SEND, unknown := UnknownAccount("no such", -32602)) is unknown
    assert book.wake == fresh.read


@pytest.mark.parametrize(
    ("call", "reply"),
    [
        (accounts.verify(ONE, "123"), Reply("1", {})),
        (accounts.finish_link("sgnl://x", "cli"), Reply("1", {"number": ONE})),
    ],
)
def test_one_that_was_just_registered_or_linked_works_before_the_book_knows(
    book: Book, missing: MissingAccounts, call: Call, reply: Reply
) -> None:
    book.missing_ones = {ONE: "no network", TWO: "no network"}
    missing.read()
    missing.learn(call, reply)
    missing.read()
    assert not is_refused(missing)
    assert is_refused(missing, Call("send", {"account": TWO}))


@pytest.mark.parametrize(
    "reply",
    [Reply("1", None, {"code": -1}), Reply("1", None), Reply("1", []), Reply("1", {"number": 5})],
)
def test_a_link_that_brought_nobody_in_changes_nothing(
    book: Book, missing: MissingAccounts, reply: Reply
) -> None:
    book.missing_ones = {ONE: "no network"}
    missing.read()
    missing.learn(accounts.finish_link("sgnl://x", "cli"), reply)
    assert is_refused(missing)


def test_other_refusals_stay_as_they_are(missing: MissingAccounts) -> None:
    for refused in (Refused("no", -1), Refused("no", -32603)):
        assert missing.explain(SEND, refused) is refused


def test_one_that_signal_has_just_logged_out_says_so(missing: MissingAccounts) -> None:
    said = "Failed to send message: [403] Authorization failed! (AuthorizationFailedException)"
    explained = missing.explain(SEND, refusal({"code": -32603, "message": said}))
    assert isinstance(explained, AccountUnlinked)
    assert "Link it again" in str(explained)
    wrong_code = refusal({"code": -3, "message": said})
    assert missing.explain(accounts.verify(ONE, "123"), wrong_code) is wrong_code


@pytest.mark.parametrize(
    ("on_disk", "kind"),
    [
        ({}, AccountUnlinked),
        ({ONE: False}, AccountUnlinked),
        ({ONE: True}, AccountNotLoaded),
        (None, AccountNotLoaded),
    ],
    ids=["its data is gone", "it is unregistered", "it is registered", "the data is elsewhere"],
)
def test_what_is_on_disk_is_newer_than_the_book(
    book: Book,
    missing: MissingAccounts,
    tmp_path: Path,
    on_disk: dict[str, bool] | None,
    kind: type[BridgeError],
) -> None:
    """Somebody has unregistered it a moment ago, and sends: waiting will not bring it back.

    signal-cli-rest-api #774.
    """
    book.linked_ones = (ONE,)
    if on_disk is not None:
        write_accounts(tmp_path, on_disk)
    assert isinstance(missing.explain(SEND, UnknownAccount("no such account", -32602)), kind)


def test_one_that_is_still_to_be_verified_was_not_logged_out(
    missing: MissingAccounts, tmp_path: Path
) -> None:
    write_accounts(tmp_path, {ONE: False, TWO: True})
    refused = UnknownAccount("no such account", -32602)
    assert missing.explain(SEND, refused) is refused
    other = missing.explain(Call("send", {"account": TWO}), refused)
    assert isinstance(other, AccountNotLoaded)


def write_accounts(config_dir: Path, registered: Mapping[str, bool]) -> None:
    data = config_dir / "data"
    data.mkdir()
    entries = [{"number": number, "path": number[1:]} for number in registered]
    (data / "accounts.json").write_text(json.dumps({"accounts": entries}))
    for number, is_registered in registered.items():
        (data / number[1:]).write_text(json.dumps({"registered": is_registered}))


def test_a_refusal_to_register_says_nothing_of_an_account_that_is_not_loaded(
    book: Book, missing: MissingAccounts
) -> None:
    book.missing_ones = {ONE: "no network"}
    refused = UnknownAccount("Method requires valid account parameter", -32602)
    assert missing.explain(accounts.register(ONE), refused) is refused


def test_calls_read_nothing_from_the_database(
    own: ScriptedDaemon, settings: Settings, board: Board, book: Book, missing: MissingAccounts
) -> None:
    own.start().on("send", result({"timestamp": 5}))
    gateway = Gateway(settings, board, missing=missing)  # type: ignore[arg-type]
    before = book.reads
    for _ in range(20):
        gateway.run(SEND)
    assert book.reads == before
    gateway.close()


def test_signal_cli_is_not_asked_for_one_that_is_missing(
    own: ScriptedDaemon, settings: Settings, board: Board, book: Book, missing: MissingAccounts
) -> None:
    own.start().on("send", result({"timestamp": 5}))
    gateway = Gateway(settings, board, missing=missing)  # type: ignore[arg-type]
    book.missing_ones = {ONE: "no network"}
    assert book.wake
    book.wake()
    for ask in (gateway.run, gateway.answer):
        with pytest.raises(AccountNotLoaded):
            ask(SEND)
    assert not own.asked("send")
    gateway.close()


def test_a_refusal_of_one_that_is_known_comes_with_what_is_so(
    own: ScriptedDaemon, settings: Settings, board: Board, book: Book, missing: MissingAccounts
) -> None:
    """It is missing, and this worker has not heard of that yet."""
    own.start().on("send", error(-32602, "Specified account does not exist"))
    gateway = Gateway(settings, board, missing=missing)  # type: ignore[arg-type]
    book.missing_ones = {ONE: "no network"}
    with pytest.raises(AccountNotLoaded, match="no network"):
        gateway.run(SEND)
    with pytest.raises(UnknownAccount):
        gateway.run(Call("send", {"account": TWO}))
    gateway.close()
