"""Bytes in, lines out, however they are cut."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signal_bridge.rpc.framing import LineBuffer, Overlong

lines_of_any_kind = st.lists(st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"")))


def feed_all(buffer: LineBuffer, chunks: list[bytes]) -> list[bytes | Overlong]:
    return [line for chunk in chunks for line in buffer.feed(chunk)]


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """`data` cut at `places`, which may lie anywhere and repeat."""
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[begin:end] for begin, end in itertools.pairwise(edges)]


@given(lines_of_any_kind, st.lists(st.integers(min_value=0, max_value=1000)))
def test_any_chunking_of_any_lines_gives_the_same_lines(
    lines: list[bytes], places: list[int]
) -> None:
    data = b"".join(line + b"\n" for line in lines)
    assert feed_all(LineBuffer(), cut(data, places)) == lines


@given(lines_of_any_kind, st.integers(min_value=1, max_value=20))
def test_any_chunking_reports_the_same_overlong_lines(lines: list[bytes], size: int) -> None:
    data = b"".join(line + b"\n" for line in lines)
    expected = [line if len(line) <= 10 else Overlong(len(line), line) for line in lines]
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    assert feed_all(LineBuffer(max_line_bytes=10), chunks) == expected


@pytest.mark.parametrize(
    "no_end",
    ["\u2028", "\u2029", "\u0085", "\r", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x00"],
    ids=lambda character: f"U+{ord(character):04X}",
)
def test_only_the_line_feed_ends_a_line(no_end: str) -> None:
    line = f'{{"message": "a{no_end}b"}}'.encode()
    assert LineBuffer().feed(line + b"\n") == [line]


def test_a_line_without_its_end_is_kept_until_it_comes() -> None:
    buffer = LineBuffer()
    assert buffer.feed(b"hal") == []
    assert buffer.feed(b"") == []
    assert buffer.feed(b"f\n") == [b"half"]


def test_empty_lines_are_lines() -> None:
    assert LineBuffer().feed(b"\n\na\n") == [b"", b"", b"a"]


def test_a_line_of_exactly_the_limit_is_read() -> None:
    assert LineBuffer(max_line_bytes=4).feed(b"1234\n12345\n") == [b"1234", Overlong(5, b"12345")]


def test_an_overlong_line_is_reported_once_with_its_size_and_the_next_is_read() -> None:
    buffer = LineBuffer(max_line_bytes=10)
    assert feed_all(buffer, [b"x" * 7, b"x" * 7, b"x" * 7]) == []
    assert buffer.feed(b"x\nnext\n") == [Overlong(22, b"x" * 22), b"next"]


def test_an_endless_line_costs_no_memory() -> None:
    buffer = LineBuffer(max_line_bytes=1000)
    for _ in range(1000):
        buffer.feed(b"x" * 100)
        assert sum(map(len, buffer._parts)) <= 1000
        assert len(buffer._edges) <= 1024
    assert buffer.feed(b"\nafter\n") == [Overlong(100_000, b"x" * 1024), b"after"]


@pytest.mark.parametrize("size", [1, 100, 511, 513, 5000])
def test_of_an_overlong_line_its_beginning_and_its_end_are_kept(size: int) -> None:
    line = b"begin" + b"x" * 20_000 + b"end"
    chunks = [line[at : at + size] for at in range(0, len(line), size)]
    (overlong,) = feed_all(LineBuffer(max_line_bytes=2000), [*chunks, b"\n"])
    assert overlong == Overlong(20_008, line[:512] + line[-512:])
