"""What a request says in its head is read within a bound, and what is usual as ever."""

from __future__ import annotations

import pytest
from werkzeug.test import EnvironBuilder

from signal_bridge.web.edge.boundedrequest import BoundedRequest

FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def request(query: bytes = b"", **headers: str) -> BoundedRequest:
    environ = EnvironBuilder(headers=headers).get_environ()
    return BoundedRequest({**environ, "QUERY_STRING": query.decode("latin-1")})


@pytest.mark.parametrize(
    ("accept", "best"),
    [
        ("text/event-stream", "text/event-stream"),
        ("text/html;q=0.5, text/event-stream", "text/event-stream"),
        (FIREFOX, "text/html"),
        ("", None),
        ("text/event-stream" + " " * 983, "text/event-stream"),
        ("text/event-stream" + " " * 984, None),
        ("a/b" + " " * 8000 + "x", None),
    ],
)
def test_the_kind_that_is_wanted_is_that_of_a_header_that_somebody_means(
    accept: str, best: str | None
) -> None:
    assert request(Accept=accept).accept_mimetypes.best == best


@pytest.mark.parametrize(
    ("query", "values"),
    [
        (b"", []),
        (b"a=1&b=2&a=3", ["1", "3"]),
        (b"a", [""]),
        (b"a=%C3%A4%2B+", ["ä+ "]),
        (b"a=%ff%41", ["\N{REPLACEMENT CHARACTER}A"]),
        (b"a=\xffA", ["\N{REPLACEMENT CHARACTER}A"]),
        (b"a=" + b"%ff" * 2700, ["\N{REPLACEMENT CHARACTER}" * 2700]),
    ],
)
def test_the_query_is_text_whatever_its_bytes_are(query: bytes, values: list[str]) -> None:
    assert request(query).args.getlist("a") == values
