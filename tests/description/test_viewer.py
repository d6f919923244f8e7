"""/docs in a real browser that reaches nothing but the bridge."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from signal_bridge.web import description
from tests.description.browser import Browser
from tests.support import Bridge, eventually

STATIC = Path(description.__file__).parent / "static"
ANN, BOB = "+12025550100", "+12025550101"
OPERATION = "#operations-messages-post_v2_send"


@pytest.fixture(scope="module")
def sandboxed() -> Iterator[Bridge]:
    with Bridge(MODE="sandbox") as sandboxed:
        yield sandboxed.wait_ready()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@pytest.mark.parametrize(
    ("page", "document"),
    [("/docs", "/openapi.json"), ("/swagger/index.html", "/swagger/doc.json")],
)
def test_the_page_lists_every_operation(
    browser: Browser, sandboxed: Bridge, page: str, document: str
) -> None:
    browser.show(sandboxed.url + page)
    browser.find(".opblock")
    described = sandboxed.get(document).json()
    wanted = {
        f"{method.upper()} {path}"
        for path, methods in described["paths"].items()
        for method in methods
    }
    listed = browser.run(
        "return [...document.querySelectorAll('.opblock')].map(block =>"
        " block.querySelector('.opblock-summary-method').textContent + ' ' +"
        " block.querySelector('.opblock-summary-path').dataset.path)"
    )
    wanted |= {f"POST {name}" for name in described.get("webhooks", ())}
    assert set(listed) == wanted
    fetched = browser.run("return performance.getEntriesByType('resource').map(one => one.name)")
    assert [url for url in fetched if not url.startswith((sandboxed.url, "data:"))] == []
    assert browser.console() == []


def test_trying_it_out_sends_a_message(browser: Browser, sandboxed: Bridge) -> None:
    sandboxed.get(f"/v1/receive/{BOB}?timeout=0")
    browser.show(sandboxed.url + "/docs")
    browser.click(f"{OPERATION} .opblock-summary-control")
    browser.click(f"{OPERATION} .try-out__btn")
    message = {"number": ANN, "recipients": [BOB], "message": "from the page"}
    browser.type(f"{OPERATION} .body-param__text", json.dumps(message))
    browser.click(f"{OPERATION} .execute")
    status = f"{OPERATION} .live-responses-table .response-col_status"
    assert browser.text(f"{status}:not(.col_header)").startswith("201")

    def arrived() -> list[Any]:
        found = sandboxed.get(f"/v1/receive/{BOB}?timeout=1").json()
        return [one["envelope"].get("dataMessage", {}).get("message") for one in found]

    assert "from the page" in eventually(arrived)


def test_the_page_lets_nothing_from_elsewhere_in(sandboxed: Bridge) -> None:
    policy = sandboxed.get("/docs").headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "script-src" not in policy
    assert "unsafe-eval" not in policy


def test_the_viewer_is_the_published_one() -> None:
    listed = re.findall(r"^    ([0-9a-f]{64})  (\S+)$", (STATIC / "README.rst").read_text(), re.M)
    assert len(listed) == 5
    for checksum, name in listed:
        assert hashlib.sha256((STATIC / name).read_bytes()).hexdigest() == checksum, name
    assert sum(path.stat().st_size for path in STATIC.iterdir()) < 2_000_000
