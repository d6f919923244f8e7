"""What a child prints: drained, logged by its level, the last complaints kept."""

from __future__ import annotations

import logging
import os
import threading
import time

import pytest

from signal_bridge.supervisor import output as module
from signal_bridge.supervisor.output import OutputRing
from tests.support import eventually


def drained(*lines: bytes, name: str = "child") -> OutputRing:
    """A ring that has read `lines` from a pipe, to its end."""
    reading, writing = os.pipe()
    ring = OutputRing(name)
    pipe = os.fdopen(reading, "rb")
    ring.drain(pipe)
    with os.fdopen(writing, "wb") as file:
        file.write(b"".join(line + b"\n" for line in lines))
    eventually(lambda: pipe.closed, what="the pipe to be read to its end")
    return ring


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("ERROR DaemonCommand - it broke", logging.ERROR),
        ("WARN  Main - take care", logging.WARNING),
        ("INFO  DaemonCommand - Started JSON-RPC server", logging.DEBUG),
        ("DEBUG Manager - detail", logging.DEBUG),
        ("usage: signal-cli [-h]", logging.WARNING),
        ("java.lang.OutOfMemoryError: Java heap space", logging.WARNING),
        ("    at org.asamk.signal.Main.main(Main.java:1)", logging.WARNING),
    ],
)
def test_a_line_is_logged_at_its_level(
    caplog: pytest.LogCaptureFixture, line: str, level: int
) -> None:
    caplog.set_level(logging.DEBUG)
    drained(line.encode(), name="signal-cli")
    assert [(one.levelno, one.message) for one in caplog.records] == [
        (level, f"signal-cli: {line}")
    ]


def test_the_last_complaints_are_kept_and_what_is_no_complaint_is_not() -> None:
    ring = drained(*(b"WARN %d" % number for number in range(100)), b"INFO all is well")
    assert ring.last_lines(2) == ["WARN 98", "WARN 99"]
    assert ring.last_lines(1000)[0] == "WARN 60"


TRACE = (
    b"WARN  SignalJsonRpcCommandHandler - Failed to load account",
    b"org.asamk.signal.manager.api.NotRegisteredException: User is not registered.",
    *(b"\tat org.asamk.signal.Part.call(Part.java:%d)" % number for number in range(14)),
    b"\t... 3 more",
)


def test_where_something_happened_takes_no_room_from_what_happened() -> None:
    ring = drained(b"ERROR the reason", *TRACE)
    assert ring.last_lines() == ["ERROR the reason", *(line.decode() for line in TRACE[:2])]


def test_what_is_said_again_and_again_takes_one_place() -> None:
    ring = drained(b"ERROR the reason", *TRACE * 100, b"ERROR the end")
    assert ring.last_lines()[0] == "ERROR the reason"
    assert ring.last_lines()[-1] == "ERROR the end"
    assert len(ring.last_lines()) == 4


def test_what_was_said_long_ago_is_no_reason_for_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    ring = drained(b"ERROR an hour ago")
    assert ring.last_lines() == ["ERROR an hour ago"]
    now = time.monotonic()
    monkeypatch.setattr(module.time, "monotonic", lambda: now + 3600)
    assert ring.last_lines() == []


def test_the_last_words_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child has ended and its output is still being read."""
    reading, writing = os.pipe()
    os.write(writing, b"ERROR last word\n")
    os.close(writing)
    keep, ring = OutputRing._keep, OutputRing("child")
    monkeypatch.setattr(
        OutputRing, "_keep", lambda ring, line: (threading.Event().wait(0.05), keep(ring, line))
    )
    ring.drain(os.fdopen(reading, "rb"))
    assert ring.last_lines() == ["ERROR last word"]


def test_a_new_child_begins_with_nothing_said() -> None:
    ring = drained(b"ERROR from the last life")
    ring.clear()
    assert ring.last_lines() == []


def test_empty_lines_and_bytes_that_are_not_text_harm_nobody() -> None:
    ring = drained(b"", b"   ", b"\t", b"ERROR \xff\xfe", b"\x00")
    assert ring.last_lines() == ["ERROR \ufffd\ufffd", "\x00"]


def test_a_line_without_an_end_costs_no_memory() -> None:
    ring = drained(b"ERROR " + b"x" * 1_000_000)
    assert sum(map(len, ring.last_lines(1000))) <= 40 * 2000


def test_more_output_than_a_pipe_holds_does_not_stop_the_child() -> None:
    assert drained(*[b"DEBUG " + b"x" * 1000] * 1000, b"ERROR end").last_lines() == ["ERROR end"]


def test_a_line_that_cannot_be_dealt_with_stops_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    level_of = module._level_of

    def stumble(line: str) -> int:
        if line == "odd":
            raise ValueError(line)
        return level_of(line)

    monkeypatch.setattr(module, "_level_of", stumble)
    assert drained(b"a", b"odd", b"odd", b"b").last_lines() == ["a", "b"]
    assert caplog.text.count("the output of child failed in a way nobody expected") == 1


def test_a_flood_is_logged_in_part_and_read_to_its_end(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever can make signal-cli complain must not be able to fill the disk with it."""
    ring = drained(*(b"WARN %d" % number for number in range(5000)))
    said = [one.message for one in caplog.records]
    assert (said[0], said[299]) == ("child: WARN 0", "child: WARN 299")
    assert said[300:] == [
        "child has said 300 lines within 10 s; what else it says until they are over is not logged"
    ]
    assert ring.last_lines(1) == ["WARN 4999"]


def test_after_a_flood_lines_are_logged_again(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PERIOD_SECONDS", -1.0)
    drained(*(b"WARN %d" % number for number in range(1000)))
    assert len(caplog.records) == 1000


def test_what_is_not_logged_is_no_flood(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    drained(*[b"DEBUG detail"] * 1000, b"WARN this one")
    assert [one.message for one in caplog.records] == ["child: WARN this one"]
