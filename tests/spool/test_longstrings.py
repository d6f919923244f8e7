"""Long strings of a JSON text go to disk while it arrives, and come back the same."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from signal_bridge.spool import longstrings as module
from signal_bridge.spool.longstrings import LongString, LongStringFilter

LIMIT_BYTES = 8
READ_CHARACTERS = 5

# Texts that a parser of bytes may trip over, above all near a cut.
awkward = st.lists(
    st.sampled_from(['"', "\\", "/", "\n", "\u2028", "é", "€", "😀", "a", "b" * 9, "u", "\x00"])
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    max_size=12,
).map("".join)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | awkward,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", max_size=2), inner, max_size=4)
    ),
    max_leaves=12,
)
cuts = st.lists(st.integers(min_value=0, max_value=400), max_size=12)


class Files:
    """Files in a directory, as `Spool.open_new` makes them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.opened: list[IO[bytes]] = []

    def new(self) -> tuple[Path, IO[bytes]]:
        path = self.directory / str(len(self.opened))
        self.opened.append(path.open("wb"))
        return path, self.opened[-1]


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONG_STRING_BYTES", LIMIT_BYTES)
    monkeypatch.setattr(module, "_READ_CHARACTERS", READ_CHARACTERS)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path


def chunks_of(data: bytes, places: list[int]) -> Iterator[bytes]:
    edges = [0, *sorted(min(place, len(data)) for place in places), len(data)]
    for begin, end in itertools.pairwise(edges):
        yield data[begin:end]


def filtered(data: bytes, places: list[int], directory: Path) -> Any:
    """`data`, cut at `places`, through the filter and back."""
    files = Files(directory)
    long_strings = LongStringFilter(files.new)
    with contextlib.closing(long_strings):
        for chunk in chunks_of(data, places):
            long_strings.feed(chunk)
        short = long_strings.finish()
    assert all(file.closed for file in files.opened)
    return long_strings.restore(json.loads(short))


def in_memory(value: Any) -> Any:
    """Every long string as its text."""
    if isinstance(value, LongString):
        return value.text()
    if isinstance(value, list):
        return [in_memory(item) for item in value]
    if isinstance(value, dict):
        return {key: in_memory(item) for key, item in value.items()}
    return value


anything = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@anything
@given(json_values, cuts, st.booleans())
@example(["\\" * 20, '"' * 20, "😀" * 20], list(range(300)), True)
@example(["\\" * 20, '"' * 20, "😀" * 20], list(range(300)), False)
def test_filter_and_restore_give_what_json_gives(
    directory: Path, value: Any, places: list[int], escaped: bool
) -> None:
    data = json.dumps(value, ensure_ascii=escaped).encode()
    assert in_memory(filtered(data, places, directory)) == json.loads(data)


escapes = st.lists(
    st.sampled_from(
        [r"\\", r"\"", r"\n", r"\/", r"\u0041", r"\u00e9", r"\ud83d\ude00", r"\uD83D\uDE00",
         r"\\u0041", r"\\\\ud83d", "u", "\\\\" * 3, "d83d", "x", "é", "😀"]
    ),
    max_size=20,
).map("".join)  # fmt: skip


@anything
@given(escapes, cuts, st.integers(1, 20))
def test_no_escape_is_lost_wherever_it_is_cut(
    directory: Path, text: str, places: list[int], read_characters: int
) -> None:
    data = f'["{text}"]'.encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_READ_CHARACTERS", read_characters)
        assert in_memory(filtered(data, places, directory)) == json.loads(data)


@anything
@given(escapes, st.integers(1, 20))
def test_no_surrogate_pair_is_torn_between_two_pieces(
    directory: Path, text: str, read_characters: int
) -> None:
    data = f'["long enough, {text}"]'.encode()
    (restored,) = filtered(data, [], directory)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_READ_CHARACTERS", read_characters)
        for piece in restored.chunks():
            piece.encode()  # half a pair cannot be


def test_short_strings_stay_where_they_are_and_long_ones_go(directory: Path) -> None:
    short, long = filtered(b'["12345678", "123456789"]', [], directory)
    assert (type(short), short) == (str, "12345678")
    assert isinstance(long, LongString)
    assert long.path.read_bytes() == b"123456789"
    assert list(long.chunks()) == ["1234", "56789"] or long.text() == "123456789"


def test_a_long_string_lies_on_disk_as_it_was_written(directory: Path) -> None:
    (long,) = filtered(rb'["\u0041\"\\ and more"]', [3, 4, 5], directory)
    assert long.path.read_bytes() == rb"\u0041\"\\ and more"
    assert long.text() == 'A"\\ and more'


def test_no_string_of_the_request_passes_for_a_mark(directory: Path) -> None:
    files = Files(directory)
    long_strings = LongStringFilter(files.new)
    long_strings.feed(b'["long-string-0", "long-string-00000000000000000000000000000000-0"]')
    restored = long_strings.restore(json.loads(long_strings.finish()))
    assert restored[0] == "long-string-0" or restored[0].text() == "long-string-0"
    assert restored[1].text() == "long-string-00000000000000000000000000000000-0"
    assert long_strings.restore("long-string-0") == "long-string-0"


@pytest.mark.parametrize("text", [r"12345678 \x", r"12345678 \u12", r"12345678 \uZZZZ"])
def test_what_is_no_json_string_is_found_out_when_it_is_read(directory: Path, text: str) -> None:
    (long,) = filtered(f'["{text}"]'.encode(), [], directory)
    with pytest.raises(ValueError, match="escape"):
        long.text()


@pytest.mark.parametrize("control", ["\x01", "\n", "\t"])
@pytest.mark.parametrize("places", [[], [12], [13, 14]])
def test_a_text_ends_with_a_control_character_in_a_string(
    directory: Path, control: str, places: list[int]
) -> None:
    begin = '{"é":\n "123456789ü'
    long_strings = LongStringFilter(Files(directory).new)
    for chunk in chunks_of(f'{begin}{control} and more", "more": 1}}'.encode(), places):
        long_strings.feed(chunk)
    short = long_strings.finish().decode()
    with pytest.raises(json.JSONDecodeError, match="control") as caught:
        json.loads(short)
    assert "".join(long_strings.whole_before(short[: caught.value.pos])) == begin


def test_what_stood_before_a_place_is_known(directory: Path) -> None:
    text = '["1234567890", "a", "\u00fc2345678901\\n", ] x'
    long_strings = LongStringFilter(Files(directory).new)
    long_strings.feed(text.encode())
    short = long_strings.finish().decode()
    for word in ("]", '"a"'):
        before = long_strings.whole_before(short[: short.index(word)])
        assert "".join(before) == text[: text.index(word)]


@pytest.mark.parametrize("cut_off", [b'["123456789', b'["12345678901\\', b'["1', b"[", b""])
def test_a_text_that_is_cut_off_leaves_no_file_open(directory: Path, cut_off: bytes) -> None:
    files = Files(directory)
    long_strings = LongStringFilter(files.new)
    long_strings.feed(cut_off)
    long_strings.close()
    assert all(file.closed for file in files.opened)
    long_strings.close()


def test_an_unfinished_text_is_still_not_json_afterwards(directory: Path) -> None:
    long_strings = LongStringFilter(Files(directory).new)
    long_strings.feed(b'["123456789 and no end')
    with pytest.raises(json.JSONDecodeError):
        json.loads(long_strings.finish())


def test_invalid_utf8_becomes_a_replacement_character(directory: Path) -> None:
    (long,) = filtered(b'["12345678 \xff"]', [], directory)
    assert long.text() == "12345678 \ufffd"


def test_line_ends_are_not_translated(directory: Path) -> None:
    (long,) = filtered(rb'["12345678\r\n12345678"]', [], directory)
    assert long.text() == "12345678\r\n12345678"


class Discarding(io.RawIOBase):
    def write(self, data: Any) -> int:
        return len(data)


def test_a_long_string_costs_no_memory(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONG_STRING_BYTES", 1000)
    long_strings = LongStringFilter(lambda: (directory / "x", Discarding()))  # type: ignore[arg-type,return-value]
    long_strings.feed(b'{"file": "')
    for _ in range(500):
        long_strings.feed(b"QUJD" * 1000)
        assert len(long_strings._short) < 5100
    long_strings.feed(b'"}')
    assert len(long_strings.finish()) < 200


def test_reading_a_long_string_costs_no_memory(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_READ_CHARACTERS", 1000)
    (long,) = filtered(b'["' + b"\\\\n" * 100_000 + b'"]', [], directory)
    assert max(len(piece) for piece in long.chunks()) <= 1020
    assert long.text() == "\\n" * 100_000
