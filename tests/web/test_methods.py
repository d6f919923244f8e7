"""HEAD wherever GET is and without doing anything, OPTIONS, and what a wrong method is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from itertools import count
from urllib.parse import quote

import pytest
import requests

from signal_bridge.web.surface import RAW_DIALECT, SURFACE
from tests.journeys.reading import texts_until
from tests.support import Bridge, ScriptedDaemon
from tests.support.scripted_daemon import result, text_envelope

ACCOUNT, SENDER = "+4915112345", "+4917000001"
PARTS = {"number": ACCOUNT, "name": "start.js", "group_id": "x", "uuid": "x"}
GETS = [route.path for route in (*SURFACE, *RAW_DIALECT) if route.method == "GET"]
# They would go on, or wait for a phone.
ENDLESS = ("/api/v1/events",)
_timestamps = count(1_700_000_000_000)


@pytest.fixture(scope="module")
def daemon() -> Iterator[ScriptedDaemon]:
    with ScriptedDaemon(accounts=[ACCOUNT]) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def served(daemon: ScriptedDaemon) -> Iterator[Bridge]:
    with Bridge(MODE="json-rpc", BRIDGE_SIGNAL_CLI_RPC=daemon.address) as served:
        served.wait_ready()
        daemon.wait_subscribed()
        yield served


def path_of(rule: str) -> str:
    parts = []
    for part in rule.split("/"):
        name = part.strip("<>").removeprefix("maybe:")
        parts.append(quote(PARTS.get(name, "x"), safe="+.") if part.startswith("<") else part)
    return "/".join(parts)


def head(served: Bridge, path: str, **headers: str) -> requests.Response:
    answer = served.request("HEAD", path, headers=headers, allow_redirects=False)
    assert answer.content == b""
    return answer


@pytest.mark.parametrize("rule", [rule for rule in GETS if rule not in ENDLESS])
def test_head_is_answered_as_get_without_a_body(
    served: Bridge, daemon: ScriptedDaemon, rule: str
) -> None:
    daemon.on("startLink", result({"deviceLinkUri": "sgnl://linkdevice?uuid=1&pub_key=2"}))
    path = path_of(rule)
    asked = head(served, path)
    got = served.get(path)
    assert asked.status_code == got.status_code
    assert asked.headers.get("Content-Type") == got.headers.get("Content-Type")
    length = asked.headers.get("Content-Length")
    if got.status_code == 200 and rule not in ("/v1/receive/<number>",):
        assert length == got.headers.get("Content-Length")


def test_head_consumes_nothing(served: Bridge, daemon: ScriptedDaemon) -> None:
    daemon.notify(ACCOUNT, text_envelope(SENDER, "still there", next(_timestamps)))
    path = f"/v1/receive/{ACCOUNT}"
    upgrade = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    for headers, kind in (
        ({}, "application/json; charset=utf-8"),
        (upgrade, "application/json; charset=utf-8"),
        ({"Accept": "text/event-stream"}, "text/event-stream; charset=utf-8"),
    ):
        answer = head(served, f"{path}?timeout=5", **headers)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, kind)
    assert head(served, f"{path}?timeout=soon").status_code == 400
    assert texts_until(served, ACCOUNT, 1) == ["still there"]


def test_head_begins_no_link(served: Bridge, daemon: ScriptedDaemon) -> None:
    daemon.forget()
    for path, kind in (("/v1/qrcodelink", "image/png"), ("/v1/qrcodelink/raw", "application/json")):
        answer = head(served, f"{path}?device_name=x")
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith(kind)
        assert head(served, path).status_code == 400
    assert daemon.asked("startLink") == []


def test_head_opens_no_stream(served: Bridge) -> None:
    for path in ("/v1/events", "/api/v1/events", f"/v1/receive/{ACCOUNT}"):
        for _ in range(100):  # more than there are places
            answer = head(served, path, Accept="text/event-stream")
            assert answer.status_code == 200
            assert answer.headers["Content-Type"].startswith("text/event-stream")


def test_the_next_request_of_the_connection_is_answered_after_a_head(served: Bridge) -> None:
    """One without a length as well: nothing follows its head."""
    with closing(HTTPConnection("127.0.0.1", served.port, timeout=20)) as connection:
        for method, path in (("HEAD", f"/v1/receive/{ACCOUNT}"), ("GET", "/livez")) * 3:
            connection.request(method, path)
            connection.auto_open = 0  # the same one, or an error
            answer = connection.getresponse()
            assert answer.status == 200
            assert bool(answer.read()) == (method == "GET")


def test_options_says_which_methods_there_are_and_permits_no_other_site(served: Bridge) -> None:
    cors = {"Origin": "https://example.org", "Access-Control-Request-Method": "POST"}
    for path, methods in (
        ("/v2/send", "OPTIONS, POST"),
        ("/v1/about", "GET, HEAD, OPTIONS"),
        (f"/v1/groups/{ACCOUNT}/x", "DELETE, GET, HEAD, OPTIONS, PUT"),
        (f"/v1/receive/{ACCOUNT}", "GET, HEAD, OPTIONS, POST"),
    ):
        answer = served.request("OPTIONS", path, headers=cors)
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers["Allow"] == methods
        assert not [name for name in answer.headers if name.startswith("Access-Control")]
    assert served.request("OPTIONS", "/nothing").status_code == 404
    assert served.request("OPTIONS", "/api/v1/rpc").headers["Allow"] == "POST"


def test_a_wrong_method_is_the_peers_404_and_names_the_right_ones(served: Bridge) -> None:
    answer = served.request("PATCH", "/v2/send")
    assert (answer.status_code, answer.text) == (404, "404 page not found")
    assert answer.headers["Allow"] == "OPTIONS, POST"
    assert "Allow" not in served.get("/nothing").headers
    assert served.request("PATCH", "/api/v1/rpc").headers["Allow"] == "POST"
