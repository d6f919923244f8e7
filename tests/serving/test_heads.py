"""When a request is handed to a thread: when it is whole, or no more of it need be waited for."""

from __future__ import annotations

import pytest
from gunicorn.config import Config
from gunicorn.http.errors import ParseException
from hypothesis import given
from hypothesis import strategies as st

from signal_bridge.gunicorn_parts import strict_parser
from signal_bridge.serving.heads import Fault, Head, Reading, Stage, read_head

MAX_BODY_BYTES = 2**20
GET = b"GET /v1/about?a=b HTTP/1.1\r\nHost: x\r\n\r\n"
CHUNKED = b"POST /v2/send HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
Found = Stage | Fault


def post(length: object, body: bytes = b"", *fields: str) -> bytes:
    lines = ("POST /v2/send HTTP/1.1", "Host: x", f"Content-Length: {length}", *fields, "", "")
    return "\r\n".join(lines).encode() + body


def look(data: bytes, reading: Reading | None = None) -> Found:
    reading = reading or Reading()
    reading.buffer.extend(data)
    return reading.look(MAX_BODY_BYTES)


def look_in_pieces(data: bytes, sizes: list[int]) -> Found:
    """As the loop does: it looks after each piece, and at nothing behind what is decided."""
    reading = Reading()
    at = 0
    found: Found = Stage.HEAD
    while at < len(data) and found in (Stage.HEAD, Stage.BODY):
        size = sizes.pop(0) if sizes else len(data)
        found = look(data[at : at + size], reading)
        at += size
    return found


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", Stage.HEAD),
        (b"G", Stage.HEAD),
        (GET[:-1], Stage.HEAD),
        (GET, Stage.WHOLE),
        (GET + GET, Stage.WHOLE),
        (post(2, b"{"), Stage.BODY),
        (post(2, b"{}"), Stage.WHOLE),
        (post(2, b"{}" + GET), Stage.WHOLE),
        (post(0), Stage.WHOLE),
        (post(2**19, bytes(100)), Stage.BODY),
        (post(2**19, bytes(2**16)), Stage.LONG),
        (post(2, b"", "Expect: 100-continue"), Stage.LONG),
        (post(2, b"{}", "Expect: 100-continue"), Stage.WHOLE),
        (post(MAX_BODY_BYTES + 1), Stage.LONG),
        (CHUNKED, Stage.BODY),
        (CHUNKED + b"2\r\n{}\r\n", Stage.BODY),
        (CHUNKED + b"2\r\n{}\r\n0\r\n", Stage.BODY),
        (CHUNKED + b"2\r\n{}\r\n0\r\n\r\n", Stage.WHOLE),
        (CHUNKED + b"2;a=b\r\n{}\r\n0\r\nX: y\r\n\r\n" + GET, Stage.WHOLE),
        (CHUNKED + b"5\r\n0\r\n\r\n\r\n", Stage.BODY),
        (CHUNKED + b"fffff\r\n" + bytes(2**16), Stage.LONG),
        (CHUNKED + b"1\r\n \r\n" * 600, Stage.LONG),
        (CHUNKED + b"1;" + b"a" * 2000, Stage.LONG),
        (CHUNKED + b"0\r\n" + b"X: y\r\n" * 20_000, Stage.LONG),
    ],
)
def test_a_request_is_waited_for_until_it_is_whole_or_long(data: bytes, found: Found) -> None:
    assert look(data) is found


# What two parsers may read differently: none of it is waited for, whatever it becomes.
STRANGE = {
    "both lengths": post(5, b"0\r\n\r\n", "Transfer-Encoding: chunked"),
    "coding twice": CHUNKED[:-2] + b"Transfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "chunked, identity": CHUNKED.replace(b"chunked", b"chunked, identity") + b"0\r\n\r\n",
    "two lengths": post(2, b"{}", "Content-Length: 50"),
    "a length with a plus": post("+2", b"{}"),
    "a length with a score": post("0_2", b"{}"),
    "a length in hex": post("0x2", b"{}"),
    "a list of lengths": post("2, 2", b"{}"),
    "a negative length": post(-1, b"{}"),
    "a length that is none": post("two", b"{}"),
    "a length beyond counting": post("9" * 5000),
    "a folded field": post(2, b"{}", "X: a", " Transfer-Encoding: chunked"),
    "a space before the colon": post(2, b"{}", "Transfer-Encoding : chunked"),
    "another space": post(2, b"{}", "Transfer-Encoding:\x0bchunked"),
    "a score for a dash": b"POST / HTTP/1.1\r\nHost: x\r\nContent_Length: 2\r\n\r\n" + GET,
    "NUL": b"GET / HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "chunks with a plus": CHUNKED + b"+2\r\n{}\r\n0\r\n\r\n",
    "chunks in hex": CHUNKED + b"0x2\r\n{}\r\n0\r\n\r\n",
    "chunks with a score": CHUNKED + b"0_2\r\n{}\r\n0\r\n\r\n",
    "negative chunks": CHUNKED + b"-2\r\n{}\r\n0\r\n\r\n",
    "a line feed behind a size": CHUNKED + b"2;\nxx\r\n{}\r\n0\r\n\r\n",
    "a line feed behind a chunk": CHUNKED + b"2\r\n{}\n0\r\n\r\n",
    "chunks in HTTP/1.0": CHUNKED.replace(b"1.1", b"1.0") + b"0\r\n\r\n",
    "two versions": b"GET /v1/about HTTP/1.1 HTTP/1.1\r\nHost: x\r\n\r\n",
}
REFUSED = {
    "TLS": b"\x16\x03\x01\x02",
    "HTTP/2": b"PRI * HTTP/2.0\r\n",
    "PROXY": b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n",
    "no version": b"GET /\r\n",
    "an empty line first": b"\r\n",
    "bare line feeds": b"POST /v2/send HTTP/1.1\nHost: x\n",
    "a bare line feed": b"GET / HTTP/1.1\r\nHost: x\n\r\n",
    "a bare carriage return": b"GET / HTTP/1.1\r\nHost: x\rX: y",
}


@pytest.mark.parametrize("data", STRANGE.values(), ids=STRANGE.keys())
def test_a_strange_request_is_handed_over_at_once(data: bytes) -> None:
    assert look(data) in (Stage.WHOLE, Stage.LONG)


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED.keys())
def test_what_no_parser_would_read_to_its_end_is_refused_at_once(data: bytes) -> None:
    assert look(data) is Fault.NOT_HTTP


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"GET /" + b"x" * 8186, Stage.HEAD),
        (b"GET /" + b"x" * 8200, Fault.LINE_TOO_LONG),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 65_000, Stage.HEAD),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 65_536, Fault.HEAD_TOO_LONG),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 65_536 + b"\r\n\r\n", Fault.HEAD_TOO_LONG),
    ],
)
def test_a_head_has_its_limits(data: bytes, found: Found) -> None:
    assert look(data) is found


EVERYTHING = [*STRANGE.values(), GET, post(2, b"{}"), CHUNKED + b"2\r\n{}\r\n0\r\nA: b\r\n\r\n"]


@given(st.sampled_from(EVERYTHING), st.lists(st.integers(1, 40), max_size=60))
def test_in_how_many_pieces_it_comes_makes_no_difference(data: bytes, sizes: list[int]) -> None:
    assert look_in_pieces(data, list(sizes)) in (Stage.WHOLE, Stage.LONG)


class Arrived:
    """A source that has nothing but what has arrived."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def recv(self, size_bytes: int) -> bytes:
        if not self.data:
            raise AssertionError("a thread waits for more")
        data, self.data = self.data[:size_bytes], self.data[size_bytes:]
        return data


def read_by_parser(data: bytes) -> None:
    """All that a thread reads of a request."""
    config = Config()
    config.set("http_parser", "python")
    try:
        next(strict_parser(config, Arrived(data), ("127.0.0.1", 1))).body.read()
    except (ParseException, OSError):
        """It refused it."""


@pytest.mark.parametrize("data", EVERYTHING)
def test_the_parser_waits_for_nothing_of_what_is_whole(data: bytes) -> None:
    if look(data) is Stage.WHOLE:
        read_by_parser(data)


LINES = st.lists(
    st.sampled_from(
        ["Host: x", "Content-Length: 3", "content-length:2", "Transfer-Encoding: chunked",
         "Transfer-Encoding: gzip, chunked", "Expect: 100-continue", "X: y", "Content-Length: 0",
         " folded", "no colon", "Content_Length: 5", "transfer-encoding: xchunked", "A: \t b \t",
         "Transfer-Encoding: identity", f"Content-Length: {9:030}", f"Content-Length: {10**30}"]
    ),
    max_size=6,
)  # fmt: skip
BODIES = st.lists(
    st.sampled_from(
        [b"2\r\n{}\r\n", b"0\r\n\r\n", b"abc", b"\r\n", b"\n", b"0;x\r\nA: b\r\n\r\n",
         b"%014x\r\n" % 9, b"1" * 14 + b"\r\n", b'2 ; a="\\"" ;b\r\n']
    ),
    max_size=5,
).map(b"".join)  # fmt: skip


@given(st.sampled_from(["GET", "POST"]), LINES, BODIES)
def test_no_head_makes_the_parser_wait_for_what_was_called_whole(
    method: str, lines: list[str], body: bytes
) -> None:
    head = "\r\n".join((f"{method} / HTTP/1.1", *lines, "", "")).encode()
    if look(head + body) is Stage.WHOLE:
        read_by_parser(head + body)


@given(st.binary(max_size=300))
def test_whatever_comes_is_looked_at_without_a_failure(data: bytes) -> None:
    assert isinstance(look(data), Stage | Fault)
    assert isinstance(look(CHUNKED + data), Stage | Fault)
    read_head(data + b"\r\n\r\n")


def test_a_head_says_where_it_waits() -> None:
    data = b"get /livez?x HTTP/1.0\r\nCONTENT-LENGTH: 12\r\nexpect: X\r\n\r\n"
    assert read_head(data) == Head(len(data), b"get", b"/livez", 12, False, True)


def test_what_came_with_a_request_is_the_beginning_of_the_next() -> None:
    reading = Reading()
    assert look(GET, reading) is Stage.WHOLE
    del reading.buffer[:]
    reading.begin(GET[:10])
    assert look(b"", reading) is Stage.HEAD
    assert look(GET[10:], reading) is Stage.WHOLE


def test_how_much_of_a_body_is_missing_is_known_where_it_is_announced() -> None:
    reading = Reading()
    assert reading.missing_bytes() is None
    look(post(10, b"123"), reading)
    assert reading.missing_bytes() == 7


def test_whom_a_proxy_was_called_by_is_read_as_gunicorn_joins_it() -> None:
    reading = Reading()
    lines = (b"X-Forwarded-For: 1.2.3.4", b"x-forwarded-for:5.6.7.8, 9.9.9.9", b"X: y")
    look(b"GET / HTTP/1.1\r\n" + b"\r\n".join((*lines, b"", b"")), reading)
    assert reading.forwarded_for() == "1.2.3.4,5.6.7.8, 9.9.9.9"
