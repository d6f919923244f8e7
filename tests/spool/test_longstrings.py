"""Long strings of a JSON text go to disk while it arrives, and come back the same."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import IO, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from signal_bridge.errors import BodyTooLarge, TooManyParts
from signal_bridge.spool import longstrings as module
from signal_bridge.spool.longstrings import LongString, LongStringFilter

LIMIT_BYTES = 8
MOST_BYTES = 10_000
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
        self.opened.append(path.open("w+b"))
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


def new_filter(directory: Path) -> LongStringFilter:
    return LongStringFilter(Files(directory).new, MOST_BYTES, nullcontext)


def filtered(data: bytes, places: list[int], directory: Path) -> Any:
    """`data`, cut at `places`, through the filter and back."""
    files = Files(directory)
    long_strings = LongStringFilter(files.new, MOST_BYTES, nullcontext)
    with contextlib.closing(long_strings):
        for chunk in chunks_of(data, places):
            long_strings.feed(chunk)
        short = long_strings.finish().whole()
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
    long_strings = LongStringFilter(files.new, MOST_BYTES, nullcontext)
    long_strings.feed(b'["long-string-0", "long-string-00000000000000000000000000000000-0"]')
    restored = long_strings.restore(json.loads(long_strings.finish().whole()))
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
    long_strings = new_filter(directory)
    for chunk in chunks_of(f'{begin}{control} and more", "more": 1}}'.encode(), places):
        long_strings.feed(chunk)
    short = long_strings.finish().whole().decode()
    with pytest.raises(json.JSONDecodeError, match="control") as caught:
        json.loads(short)
    assert "".join(long_strings.whole_before(short, caught.value.pos)) == begin


def test_what_stood_before_a_place_is_known(directory: Path) -> None:
    text = '["1234567890", "a", "\u00fc2345678901\\n", ] x'
    long_strings = new_filter(directory)
    long_strings.feed(text.encode())
    short = long_strings.finish().whole().decode()
    for word in ("]", '"a"'):
        before = long_strings.whole_before(short, short.index(word))
        assert "".join(before) == text[: text.index(word)]


@pytest.mark.parametrize("cut_off", [b'["123456789', b'["12345678901\\', b'["1', b"[", b""])
def test_a_text_that_is_cut_off_leaves_no_file_open(directory: Path, cut_off: bytes) -> None:
    files = Files(directory)
    long_strings = LongStringFilter(files.new, MOST_BYTES, nullcontext)
    long_strings.feed(cut_off)
    long_strings.close()
    assert all(file.closed for file in files.opened)
    long_strings.close()


def test_an_unfinished_text_is_still_not_json_afterwards(directory: Path) -> None:
    long_strings = new_filter(directory)
    long_strings.feed(b'["123456789 and no end')
    with pytest.raises(json.JSONDecodeError):
        json.loads(long_strings.finish().whole())


def test_invalid_utf8_becomes_a_replacement_character(directory: Path) -> None:
    (long,) = filtered(b'["12345678 \xff"]', [], directory)
    assert long.text() == "12345678 \ufffd"


def test_line_ends_are_not_translated(directory: Path) -> None:
    (long,) = filtered(rb'["12345678\r\n12345678"]', [], directory)
    assert long.text() == "12345678\r\n12345678"


def test_a_long_string_costs_no_memory(directory: Path) -> None:
    long_strings = new_filter(directory)
    long_strings.feed(b'{"file": "')
    for _ in range(500):
        long_strings.feed(b"QUJD" * 1000)
    long_strings.feed(b'"}')
    assert long_strings.finish().size_bytes < 200


@pytest.mark.parametrize("piece", [b"[],", b"12345, ", b'"1234567",', b'"\\u0000",'])
def test_what_stays_in_memory_is_refused_while_it_arrives(directory: Path, piece: bytes) -> None:
    long_strings = new_filter(directory)
    for _ in range(MOST_BYTES // len(piece)):
        long_strings.feed(piece)
    with pytest.raises(BodyTooLarge) as caught:
        long_strings.feed(piece * 2)
    assert caught.value.limit_bytes == MOST_BYTES


def test_long_strings_that_are_read_count_as_well(directory: Path) -> None:
    first, second = filtered(b'["' + b"a" * 6000 + b'","' + b"b" * 6000 + b'"]', [], directory)
    assert first.text() == "a" * 6000
    with pytest.raises(BodyTooLarge):
        second.text()
    assert "".join(second.chunks()) == "b" * 6000


def test_a_long_string_is_read_within_the_block_of_its_size(directory: Path) -> None:
    log: list[int | str] = []

    @contextlib.contextmanager
    def into_memory(size_bytes: int) -> Iterator[None]:
        log.append(size_bytes)
        yield
        log.append("end")

    long_strings = LongStringFilter(Files(directory).new, MOST_BYTES, into_memory)
    long_strings.feed(b'"' + b"a" * 1234 + b'"')
    text = long_strings.restore(json.loads(long_strings.finish().whole())).text()
    assert (text, log) == ("a" * 1234, [1234, "end"])


def test_a_text_has_a_bounded_number_of_long_strings(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST_FILES", 3)
    assert len(filtered(b'["123456789","123456789","123456789"]', [], directory)) == 3
    with pytest.raises(TooManyParts, match="more long strings than the limit of 3"):
        filtered(b'["123456789","123456789","123456789","123456789"]', [], directory / "..")


def test_of_many_short_strings_the_longer_ones_become_long(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MUCH_BYTES", 30)
    monkeypatch.setattr(module, "_SOONER_LONG_BYTES", 4)
    values = filtered(b'["12345","12345","12345","12345","1234","12345"]', [], directory)
    assert [type(value) for value in values] == [str, str, str, str, str, LongString]
    assert in_memory(values) == ["12345"] * 4 + ["1234", "12345"]


def test_reading_a_long_string_costs_no_memory(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_READ_CHARACTERS", 1000)
    (long,) = filtered(b'["' + b"\\\\n" * 3_000 + b'"]', [], directory)
    assert max(len(piece) for piece in long.chunks()) <= 1020
    assert long.text() == "\\n" * 3_000
