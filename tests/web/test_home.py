"""GET / says where things are, to people and to programs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.journeys import http
from tests.support import Bridge, ScriptedDaemon

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
AXIOS = "application/json, text/plain, */*"


@pytest.fixture(scope="module")
def sandboxed() -> Iterator[Bridge]:
    with Bridge(MODE="sandbox") as sandboxed:
        yield sandboxed.wait_ready()


@pytest.mark.parametrize(
    ("accept", "kind"),
    [(BROWSER, "text/html"), (AXIOS, "application/json"), ("application/json", "application/json"),
     ("*/*", "text/plain"), ("text/plain", "text/plain"), ("image/png", "text/plain")],
)  # fmt: skip
def test_everybody_is_told_in_words_that_he_reads(
    sandboxed: Bridge, accept: str, kind: str
) -> None:
    answer = sandboxed.get("/", headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == f"{kind}; charset=utf-8"
    for place in ("docs", "openapi.json", "readyz", "livez", "v1/about", "sandbox"):
        assert place in answer.text


def test_every_place_is_there(sandboxed: Bridge) -> None:
    places = sandboxed.get("/", headers={"Accept": "application/json"}).json()
    for name in ("documentation", "openapi", "about", "ready", "alive", "link_a_phone"):
        assert sandboxed.get(f"/{places[name]}").status_code == 200


def test_who_says_nothing_of_what_he_reads_gets_the_peers_answer(sandboxed: Bridge) -> None:
    status, text = http.exchange(sandboxed, http.head("GET", "/"))
    assert (status, text) == (404, b"404 page not found")


def test_a_real_bridge_says_nothing_of_a_sandbox() -> None:
    with (
        ScriptedDaemon(accounts=["+4915112345"]) as daemon,
        Bridge(MODE="normal", BRIDGE_SIGNAL_CLI_RPC=daemon.address) as bridge,
    ):
        bridge.wait_open()
        assert "sandbox" not in bridge.get("/").text.lower()
