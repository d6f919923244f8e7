"""A URI for the QR code now, the phone's answer later."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import pytest

from signal_bridge.errors import (
    Busy,
    BusyForClient,
    CallTimedOut,
    DaemonUnavailable,
    Refused,
)
from signal_bridge.session import qrcodes
from signal_bridge.session.linker import FAILED, Linker, Outcome, log_qr
from signal_bridge.signalcli.call import Call
from tests.support import eventually

URI = "sgnl://linkdevice?uuid=x&pub_key=y"


class Phone:
    """A gateway to a daemon whose links are scanned when the test says so."""

    def __init__(self) -> None:
        self.scanned = threading.Event()
        self.refuses: Exception | None = None
        self.calls: list[Call] = []

    def run(self, call: Call) -> object:
        self.calls.append(call)
        if call.method == "startLink":
            return {"deviceLinkUri": URI}
        assert self.scanned.wait(30)
        if self.refuses:
            raise self.refuses
        return {"number": "+1"}

    @property
    def finishing(self) -> int:
        return sum(call.method == "finishLink" for call in self.calls)


@pytest.fixture
def phone() -> Phone:
    return Phone()


@pytest.fixture
def linker(phone: Phone) -> Linker:
    return Linker(phone)  # type: ignore[arg-type]


def finish(
    linker: Linker,
    name: str = "x",
    client: str = "a",
    tell: Callable[[Outcome], None] | None = None,
) -> None:
    with linker.place(client) as place:
        linker.finish_in_background(place, URI, name, tell or (lambda _outcome: None))


def is_free(linker: Linker) -> bool:
    return not linker._waiting


def test_a_link_left_open_takes_its_place_while_signal_cli_keeps_it(phone: Phone) -> None:
    linker = Linker(phone, most_of_client=1)  # type: ignore[arg-type]
    with linker.place("a") as place:
        linker.leave_open(place)
    with pytest.raises(BusyForClient), linker.place("a"):
        pass
    with linker.place("b"):
        pass


def test_a_link_left_open_gives_its_place_back_by_itself(phone: Phone) -> None:
    linker = Linker(phone, most_of_client=1, open_seconds=0)  # type: ignore[arg-type]
    for _ in range(3):
        with linker.place("a") as place:
            linker.leave_open(place)


def test_a_link_begins_with_a_uri(linker: Linker) -> None:
    assert linker.start() == URI


def test_the_phone_is_waited_for_in_the_background(
    linker: Linker, phone: Phone, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    finish(linker, "my bridge")
    eventually(lambda: phone.finishing == 1, what="finishLink")
    assert "a device was linked" not in caplog.text
    phone.scanned.set()
    eventually(lambda: "a device was linked" in caplog.text, what="the good news")
    params = phone.calls[-1].params
    assert params == {"deviceLinkUri": URI, "deviceName": "my bridge"}
    assert not phone.calls[-1].repeatable


@pytest.mark.parametrize(
    "problem", [Refused("no phone came", -1), CallTimedOut("too late", request_written=True)]
)
def test_a_link_that_fails_is_logged_and_its_place_is_free_again(
    linker: Linker, phone: Phone, caplog: pytest.LogCaptureFixture, problem: Exception
) -> None:
    phone.refuses = problem
    phone.scanned.set()
    for _ in range(40):
        before = phone.finishing
        finish(linker)
        eventually(lambda before=before: phone.finishing > before, what="finishLink")  # type: ignore[misc]
        eventually(lambda: is_free(linker), what="the place to be free")
    assert f"linking failed: {problem}" in caplog.text


def test_a_link_that_fails_in_a_way_nobody_expected_is_told_logged_and_over(
    linker: Linker, phone: Phone, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[Outcome] = []
    phone.refuses = ValueError("odd")
    phone.scanned.set()
    finish(linker, tell=told.append)
    eventually(lambda: is_free(linker), what="the place to be free")
    assert told == [Outcome(FAILED, reason="An unexpected error, which the log shows")]
    eventually(lambda: "ValueError: odd" in caplog.text, what="the log")


def test_without_a_thread_to_wait_on_the_place_is_free_again(
    linker: Linker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    for _ in range(20):
        with pytest.raises(DaemonUnavailable, match="can't start new thread"):
            finish(linker)
    assert is_free(linker)


def test_one_client_leaves_room_for_others_until_all_is_taken(linker: Linker, phone: Phone) -> None:
    for client in ("a", "b"):
        for _ in range(8):
            finish(linker, client=client)
        with pytest.raises(BusyForClient, match="Too many devices"), linker.place(client):
            pass
    with pytest.raises(Busy, match="Too many devices") as caught, linker.place("c"):
        pass
    assert not isinstance(caught.value, BusyForClient)
    phone.scanned.set()
    eventually(lambda: is_free(linker), what="all places to be free")
    finish(linker)


def test_a_place_that_is_not_used_is_free_again(linker: Linker) -> None:
    for _ in range(40):
        with linker.place("a"):
            pass
    assert is_free(linker)


def test_a_link_at_start_shows_its_uri_and_waits(linker: Linker, phone: Phone) -> None:
    shown: list[str] = []
    linker.start_in_background("Signal Bridge", shown.append)
    eventually(lambda: phone.finishing == 1, what="finishLink")
    assert shown == [URI]
    phone.scanned.set()


def test_a_qr_code_is_drawn_in_characters() -> None:
    drawn = qrcodes.as_text(URI)
    assert len(drawn.splitlines()) > 10
    assert drawn != qrcodes.as_text(URI + "z")


def test_the_log_says_what_to_do_with_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    log_qr(URI)
    assert "Linked devices" in caplog.text
    assert "/v1/qrcodelink" in caplog.text
