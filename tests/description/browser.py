"""Headless Chromium, as little of WebDriver as the tests need, and a network that ends here."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any

import requests

from tests.support.parts import part_missing
from tests.support.waiting import eventually, free_port

COMMAND_SECONDS = 60.0
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1200,1600",
    # no name but this machine's is known, so that nothing can be fetched from elsewhere
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)


def chromium() -> tuple[str, str]:
    """The paths of the browser and its driver. In CI they must be there."""
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (browser and driver):
        part_missing("there is no chromium with its driver (Debian: chromium, chromium-driver)")
    return browser, driver


class Browser:
    """One window. `home` is an empty directory for its profile."""

    def __init__(self, home: Path) -> None:
        self._binary, driver = chromium()
        self._home = home
        port = free_port()
        self._url = f"http://127.0.0.1:{port}"
        environ = {"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(home)}
        self._driver = subprocess.Popen(
            [driver, f"--port={port}"],
            env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def __enter__(self) -> Browser:
        try:
            eventually(self._is_up, 30)
            self._url += f"/session/{self._open()}"
        except BaseException:
            self._driver.kill()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._do("DELETE", "")
        finally:
            self._driver.terminate()
            self._driver.wait(30)

    def show(self, url: str) -> None:
        self._do("POST", "/url", {"url": url})

    def run(self, script: str, *arguments: object) -> Any:
        """What a JavaScript function with that body returns."""
        return self._do("POST", "/execute/sync", {"script": script, "args": arguments})

    def find(self, selector: str, seconds: float = 20) -> str:
        """The first element of that CSS selector, waited for."""
        found = eventually(lambda: self._found(selector), seconds, lambda: f"no {selector}")
        return str(found[0][_ELEMENT])

    def click(self, selector: str) -> None:
        self._do("POST", f"/element/{self.find(selector)}/click", {})

    def text(self, selector: str) -> str:
        return str(self._do("GET", f"/element/{self.find(selector)}/text"))

    def type(self, selector: str, text: str) -> None:
        """In place of what stands there."""
        element = self.find(selector)
        self._do("POST", f"/element/{element}/clear", {})
        self._do("POST", f"/element/{element}/value", {"text": text})

    def console(self) -> list[str]:
        """What the page complained of."""
        entries = self._do("POST", "/se/log", {"type": "browser"})
        return [entry["message"] for entry in entries]

    def picture(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self._do("GET", "/screenshot")))

    def _found(self, selector: str) -> Any:
        return self._do("POST", "/elements", {"using": "css selector", "value": selector})

    def _is_up(self) -> bool:
        try:
            return bool(requests.get(f"{self._url}/status", timeout=5).json()["value"]["ready"])
        except requests.RequestException:
            return False

    def _open(self) -> str:
        arguments = [*_FLAGS, f"--user-data-dir={self._home / 'profile'}"]
        wanted = {
            "browserName": "chrome",
            "goog:chromeOptions": {"binary": self._binary, "args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"},
        }
        session = self._do("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        return str(session["sessionId"])

    def _do(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = requests.request(method, self._url + path, json=body, timeout=COMMAND_SECONDS)
        value = answer.json()["value"]
        assert answer.ok, value
        return value
