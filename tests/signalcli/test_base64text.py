from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signal_bridge.errors import RequestError
from signal_bridge.signalcli.base64text import Base64Decoder, decode_base64, is_base64


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("", b""),
        ("aGVsbG8=", b"hello"),
        ("aGVs\nbG8=", b"hello"),
        ("\r\naGVs\r\nbG8\n=\n", b"hello"),
        ("aA==", b"h"),
        ("aA=\n=\r\n", b"h"),
        ("aB==", b"h"),  # the bits left over are not looked at
        ("+/+/", b"\xfb\xff\xbf"),
    ],
)
def test_base64_is_decoded(text: str, data: bytes) -> None:
    assert decode_base64(text) == data
    assert decode_base64(text.encode()) == data


# Go's encoding/base64 counts the first byte that is wrong; for a text that ends too early, the
# first of the unfinished group.
ILLEGAL = [
    ("aGVsbG8", 4),
    ("aGVsb", 4),
    ("a", 0),
    ("##", 0),
    ("!!", 0),
    ("base64,aGVsbG8=", 6),
    ("data:text/plain,hello", 4),
    ("=", 0),
    ("a===", 1),
    ("aGVs=", 4),
    ("aG=", 3),
    ("aG=\n", 4),
    ("aG=x", 2),
    ("aG=\nx", 3),
    ("aG==x", 4),
    ("aGV==", 4),
    ("aGV=aGV=", 4),
    ("aG\nV", 1),
    ("aGVs-_==", 4),
    ("aGVs bG8=", 4),
    ("aGVsä", 4),
    ("ä", 0),
]


@pytest.mark.parametrize(("text", "offset"), ILLEGAL)
def test_illegal_base64_is_refused_at_the_byte_where_go_refuses_it(text: str, offset: int) -> None:
    with pytest.raises(RequestError) as caught:
        decode_base64(text)
    assert str(caught.value) == f"illegal base64 data at input byte {offset}"
    assert not is_base64(text)


def in_chunks(text: bytes, sizes: list[int]) -> bytes:
    decoder = Base64Decoder()
    decoded = b""
    for size in sizes:
        decoded += decoder.feed(text[:size])
        text = text[size:]
    return decoded + decoder.feed(text) + decoder.finish()


chunk_sizes = st.lists(st.integers(0, 9), max_size=30)


@given(st.binary(), chunk_sizes)
def test_a_text_in_chunks_decodes_as_the_whole(data: bytes, sizes: list[int]) -> None:
    assert in_chunks(base64.b64encode(data), sizes) == data


@given(st.binary(min_size=60, max_size=300), chunk_sizes)
def test_line_ends_in_the_text_are_skipped(data: bytes, sizes: list[int]) -> None:
    assert in_chunks(base64.encodebytes(data).replace(b"\n", b"\r\n"), sizes) == data


@given(st.text(st.sampled_from("aGVsb8+/=\n\r-"), max_size=30), chunk_sizes)
def test_chunks_change_neither_the_result_nor_the_error(text: str, sizes: list[int]) -> None:
    def outcome(decode: object, *arguments: object) -> object:
        try:
            return decode(*arguments)  # type: ignore[operator]
        except RequestError as error:
            return str(error)

    assert outcome(in_chunks, text.encode(), sizes) == outcome(decode_base64, text)


def test_no_more_than_one_group_of_the_text_is_kept() -> None:
    decoder = Base64Decoder()
    assert sum(len(decoder.feed(b"aGVsbG8h" * 1000)) for _ in range(10)) == 60_000
    assert decoder.finish() == b""


def test_a_text_of_several_steps_is_decoded() -> None:
    data = bytes(range(256)) * 10_000
    assert decode_base64(base64.b64encode(data)) == data
