"""Accounts that signal-cli has not loaded: tried, explained, and signal-cli restarted for them."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path

import pytest

from signal_bridge.errors import UnknownAccount
from signal_bridge.feed.account_book import LINKED, MISSING, UNLINKED, AccountBook
from signal_bridge.feed.feed import Feed
from signal_bridge.session import account_watch as module
from signal_bridge.session.account_watch import AccountWatch, Remedies
from signal_bridge.store.engine import Store
from tests.support import eventually

ONE, TWO = "+4915100001", "+4915100002"
NOBODY: frozenset[str] = frozenset()


class SignalCli:
    """What the watch does to signal-cli, and what that says."""

    def __init__(self) -> None:
        self.tried: list[str] = []
        self.restarts: list[str] = []
        self.says = ""
        self.go_on = threading.Event()
        self.go_on.set()

    def load(self, number: str) -> None:
        self.tried.append(number)
        assert self.go_on.wait(30)
        raise UnknownAccount("Specified account does not exist", -32602)

    def remedies(self) -> Remedies:
        return Remedies(self.load, self.restarts.append, lambda: self.says)


class Clock:
    """The time as the watch reads it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


class CountingLinker:
    """How often the log would show a link."""

    def __init__(self) -> None:
        self.links = 0

    def start_in_background(self, *_: object, **__: object) -> None:
        self.links += 1


class Stage:
    def __init__(self, store: Store, config_dir: Path) -> None:
        self.signal_cli = SignalCli()
        self.clock = Clock()
        self.linker = CountingLinker()
        self.config_dir = config_dir
        self.book = AccountBook(store, Feed(store))
        self.watch = AccountWatch(
            self.book,
            config_dir,
            self.signal_cli.remedies(),
            self.linker,  # type: ignore[arg-type]
        )

    def on_disk(self, **registered: bool) -> None:
        data = self.config_dir / "data"
        data.mkdir(exist_ok=True)
        entries = [{"path": number, "number": number} for number in registered]
        (data / "accounts.json").write_text(json.dumps({"accounts": entries}))
        for number, is_registered in registered.items():
            (data / number).write_text(json.dumps({"registered": is_registered}))

    def look(self, *listed: str, after: float = 2.0) -> bool:
        """One look, after some seconds; what it starts has ended when this returns."""
        self.clock.now += after
        hurry = self.watch.look(frozenset(listed))
        for thread in threading.enumerate():
            if thread.name == "load-account" and self.signal_cli.go_on.is_set():
                thread.join(30)
        return hurry


@pytest.fixture
def stage(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    stage = Stage(store, tmp_path)
    monkeypatch.setattr(module.time, "monotonic", stage.clock.monotonic)
    return stage


def test_one_that_goes_missing_is_tried_at_once_and_looked_for_again_soon(stage: Stage) -> None:
    stage.look(ONE)
    assert stage.look() is True
    assert stage.signal_cli.tried == [ONE]
    assert stage.book.states() == {ONE: MISSING}


def test_one_that_is_there_on_disk_at_the_first_look_is_tried_at_once(stage: Stage) -> None:
    stage.on_disk(**{ONE: True, TWO: True})
    stage.look(TWO)
    assert stage.signal_cli.tried == [ONE]


def test_one_that_is_being_linked_is_left_alone_for_a_while(stage: Stage) -> None:
    stage.on_disk(**{TWO: True})
    stage.look(TWO)
    stage.on_disk(**{ONE: True, TWO: True})
    for _ in range(5):
        stage.look(TWO)
    assert stage.book.states() == {TWO: LINKED}
    assert not stage.signal_cli.tried
    stage.look(TWO, after=20)
    assert stage.signal_cli.tried == [ONE]


def test_one_that_was_logged_out_and_is_being_linked_again_is_left_alone_as_well(
    stage: Stage,
) -> None:
    stage.on_disk(**{ONE: True})
    stage.look(ONE)
    stage.on_disk(**{ONE: False})
    stage.look()
    assert stage.book.states() == {ONE: UNLINKED}
    stage.on_disk(**{ONE: True})
    stage.look(after=60)
    assert stage.book.states() == {ONE: UNLINKED}
    stage.look(ONE)
    assert stage.book.states() == {ONE: LINKED}
    assert not stage.signal_cli.tried


def test_one_whose_data_was_deleted_is_not_tried(stage: Stage) -> None:
    stage.on_disk(**{ONE: True})
    stage.look(ONE)
    stage.on_disk()
    stage.look()
    assert stage.book.states() == {ONE: UNLINKED}
    assert not stage.signal_cli.tried


def test_who_has_accounts_that_are_not_loaded_is_not_told_to_link_one(stage: Stage) -> None:
    stage.on_disk(**{ONE: True})
    stage.look()
    assert stage.linker.links == 0
    stage.on_disk(**{ONE: False})
    stage.look()
    stage.look()
    assert stage.linker.links == 1


def test_there_is_one_try_at_a_time(stage: Stage) -> None:
    stage.look(ONE, TWO)
    stage.signal_cli.go_on.clear()
    for _ in range(20):
        assert stage.look(after=10) is True
    assert len(stage.signal_cli.tried) == 1
    assert not stage.signal_cli.restarts
    stage.signal_cli.go_on.set()
    eventually(lambda: not any(one.name == "load-account" for one in threading.enumerate()))
    stage.look()
    stage.look(after=60)
    assert stage.signal_cli.tried == [ONE, TWO]


def test_signal_cli_is_restarted_after_some_tries(stage: Stage) -> None:
    stage.look(ONE)
    for _ in range(30):
        stage.look()
    assert len(stage.signal_cli.tried) >= 3
    assert stage.signal_cli.restarts == ["1 accounts are not loaded"]


def test_why_it_is_missing_is_noted_and_told(stage: Stage) -> None:
    stage.look(ONE)
    stage.look()
    assert stage.book.missing() == {
        ONE: "signal-cli has not loaded it; the bridge has it try again until it has"
    }
    stage.signal_cli.says = "no network"
    stage.look()
    (why,) = stage.book.missing().values()
    assert "(no network)" in why
    stage.signal_cli.says = ""  # its lines are gone by now
    stage.look()
    (why,) = stage.book.missing().values()
    assert "(no network)" in why


def test_what_is_missing_is_logged_once_with_the_reason_and_never_the_number(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    stage.signal_cli.says = "no network"
    stage.look(ONE)
    for _ in range(10):
        stage.look()
    stage.look(ONE)
    stage.look(ONE)
    said = [record.message for record in caplog.records if record.name == module.__name__]
    assert said == [
        "signal-cli has not loaded 1 accounts, and is told to try again: no network",
        "signal-cli has loaded every account",
    ]
