"""Requests that two parsers might read differently: none is two."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.hostile.hands import answered, statuses
from tests.support import Bridge

# What a parser that is deceived would answer with the accounts.
HIDDEN = b"GET /v1/accounts HTTP/1.1\r\nHost: hidden\r\n\r\n"
ACCOUNT = b"+12025550100"
POST = b"POST /v2/send HTTP/1.1\r\nHost: bridge\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"

HEADS = {
    # a length and chunks
    "both": POST + b"Content-Length: 50\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "both, in capitals": POST + b"Content-Length: 2\r\nTRANSFER-ENCODING: CHUNKED\r\n\r\n{}",
    "chunks under HTTP/1.0": CHUNKED.replace(b"1.1", b"1.0") + b"0\r\n\r\n",
    # a coding that is not quite one
    "xchunked": POST + b"Content-Length: 2\r\nTransfer-Encoding: xchunked\r\n\r\n{}",
    "chunked, identity": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "chunked twice": POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "an empty coding first": POST + b"Content-Length: 2\r\nTransfer-Encoding: ,chunked\r\n\r\n{}",
    "identity and a length": POST + b"Content-Length: 2\r\nTransfer-Encoding: identity\r\n\r\n{}",
    "gzip, chunked": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "two fields": CHUNKED[:-2] + b"Transfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "quoted": POST + b'Content-Length: 2\r\nTransfer-Encoding: "chunked"\r\n\r\n{}',
    "a vertical tab": POST + b"Content-Length: 2\r\nTransfer-Encoding:\x0bchunked\r\n\r\n{}",
    "a blank before the colon": POST
    + b"Content-Length: 2\r\nTransfer-Encoding : chunked\r\n\r\n{}",
    "a zero byte": POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\x00\r\n\r\n{}",
    "an underscore in the coding": POST + b"Transfer_Encoding: chunked\r\n\r\n0\r\n\r\n",
    # a length that is not quite one
    "two lengths": POST + b"Content-Length: 2\r\nContent-Length: 50\r\n\r\n{}",
    "a list of lengths": POST + b"Content-Length: 2, 2\r\n\r\n{}",
    "a plus": POST + b"Content-Length: +2\r\n\r\n{}",
    "a minus": POST + b"Content-Length: -1\r\n\r\n{}",
    "an underscore in the length": POST + b"Content-Length: 0_2\r\n\r\n{}",
    "hexadecimal": POST + b"Content-Length: 0x2\r\n\r\n{}",
    "a fraction": POST + b"Content-Length: 2.0\r\n\r\n{}",
    "no digits": POST + b"Content-Length: \r\n\r\n",
    "digits of another script": POST + "Content-Length: ٢\r\n\r\n{}".encode(),
    "a blank before the length's colon": POST + b"Content-Length : 2\r\n\r\n{}",
    "an underscore in the name": POST + b"Content_Length: 2\r\n\r\n",
    # lines that end oddly
    "bare line feeds": POST.replace(b"\r\n", b"\n") + b"Content-Length: 2\n\n{}",
    "a bare line feed in between": POST[:-2] + b"\nContent-Length: 2\r\n\r\n{}",
    "a bare carriage return": POST + b"X: a\rContent-Length: 2\r\n\r\n{}",
    "a folded line": POST + b"X: a\r\n Content-Length: 2\r\n\r\n",
    "a folded first line": b"POST /v2/send HTTP/1.1\r\n X: y\r\nHost: bridge\r\n\r\n",
    "a zero byte in a field": POST + b"X: a\x00b\r\n\r\n",
    "a field without a name": POST + b": a\r\n\r\n",
    "a field without a colon": POST + b"Content-Length\r\n\r\n",
    "a name with a blank": POST + b"X Y: a\r\n\r\n",
    # chunks that are not quite some
    "a chunk of +2": CHUNKED + b"+2\r\n{}\r\n0\r\n\r\n",
    "a chunk of -2": CHUNKED + b"-2\r\n{}\r\n0\r\n\r\n",
    "a chunk of 0x2": CHUNKED + b"0x2\r\n{}\r\n0\r\n\r\n",
    "a chunk of 0_2": CHUNKED + b"0_2\r\n{}\r\n0\r\n\r\n",
    "a chunk of no size": CHUNKED + b"\r\n{}\r\n0\r\n\r\n",
    "a chunk of 17 digits": CHUNKED + b"10000000000000002\r\n{}\r\n0\r\n\r\n",
    "a chunk after a tab": CHUNKED + b"\t2\r\n{}\r\n0\r\n\r\n",
    "a line feed in an extension": CHUNKED + b"2;\nxx\r\n{}\r\n0\r\n\r\n",
    "a carriage return in an extension": CHUNKED + b"2;a\rb\r\n{}\r\n0\r\n\r\n",
    "a zero byte in an extension": CHUNKED + b"2;a\x00\r\n{}\r\n0\r\n\r\n",
    "a zero byte in a quoted extension": CHUNKED + b'2;a="\x00"\r\n{}\r\n0\r\n\r\n',
    "an extension without a name": CHUNKED + b"2;\r\n{}\r\n0\r\n\r\n",
    "an extension whose quote is open": CHUNKED + b'2;a="\r\n{}\r\n0\r\n\r\n',
    "a letter in another script in an extension": CHUNKED + b"2;\xe9\r\n{}\r\n0\r\n\r\n",
    "a delete in the last extension": CHUNKED + b"2\r\n{}\r\n0;\x7f\r\n\r\n",
    "a chunk that ends in a line feed": CHUNKED + b"2\r\n{}\n0\r\n\r\n",
    "chunks between line feeds": CHUNKED + b"2\n{}\n0\n\n",
    "a chunk longer than it says": CHUNKED + b"1\r\n{}\r\n0\r\n\r\n",
    "a coding as a trailer": CHUNKED + b"0\r\nTransfer-Encoding: identity\r\n\r\n",
    "a trailer without a colon": CHUNKED + b"0\r\nno colon\r\n\r\n",
    # first lines
    "two versions": b"GET /v1/about HTTP/1.1 HTTP/1.1\r\nHost: bridge\r\n\r\n",
    "tabs": b"GET\t/livez\tHTTP/1.1\r\nHost: bridge\r\n\r\n",
    "HTTP/0.9": b"GET /livez\r\n",
    "HTTP/1.10": b"GET /livez HTTP/1.10\r\nHost: bridge\r\n\r\n",
    "a small version": b"GET /livez http/1.1\r\nHost: bridge\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a proxy's line": b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET /livez HTTP/1.1\r\nHost: x\r\n\r\n",
    "a zero byte in the method": b"GE\x00T /livez HTTP/1.1\r\nHost: bridge\r\n\r\n",
}


@pytest.fixture(scope="module")
def answers(bridge: Bridge) -> dict[str, bytes]:
    """To all of them. Asked side by side, as a bridge may wait for more of some."""

    def answer(name: str) -> bytes:
        return answered(bridge, HEADS[name] + HIDDEN, wait_seconds=5)

    with ThreadPoolExecutor(16) as pool:
        return dict(zip(HEADS, pool.map(answer, HEADS), strict=True))


@pytest.mark.parametrize("name", HEADS)
def test_what_is_hidden_behind_a_request_is_no_request(
    answers: dict[str, bytes], name: str
) -> None:
    answer = answers[name]
    assert ACCOUNT not in answer
    assert len(statuses(answer)) <= 1
    assert all(status < 500 or status in (501, 505) for status in statuses(answer))


def test_what_follows_a_body_is_a_request_of_its_own(bridge: Bridge) -> None:
    """The difference: here everybody agrees where the first one ends."""
    first = b"GET /livez HTTP/1.1\r\nHost: bridge\r\nContent-Length: 2\r\n\r\n{}"
    assert statuses(answered(bridge, first + HIDDEN)) == [200, 200]


def test_a_request_has_one_host(bridge: Bridge) -> None:
    two = b"GET /v1/about HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"
    assert statuses(answered(bridge, two)) == [400]


@pytest.mark.parametrize("field", ["SCRIPT_NAME: /x", "Script-Name: /x", "PATH_INFO: /v1/accounts"])
def test_a_field_does_not_change_the_path(bridge: Bridge, field: str) -> None:
    head = f"GET /x/v1/accounts HTTP/1.1\r\nHost: bridge\r\n{field}\r\n\r\n"
    answer = answered(bridge, head.encode(), source="127.0.0.1")
    assert ACCOUNT not in answer
    assert statuses(answer) in ([400], [404], [])
