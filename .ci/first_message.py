"""`make run`, a first message there and back, and a clean stop. Needs Python and make alone."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

ALICE, BOB = "+12025550100", "+12025550101"
TEXT = "the first message"
READY_SECONDS = 180.0  # the installation included
STOP_SECONDS = 30.0


def main() -> None:
    port = free_port()
    bridge = f"http://127.0.0.1:{port}"
    make = subprocess.Popen(["make", "run"], env={**os.environ, "PORT": str(port)})
    try:
        wait_ready(make, bridge)
        body = {"number": ALICE, "recipients": [BOB], "message": TEXT}
        status, _ = ask(f"{bridge}/v2/send", json.dumps(body).encode())
        check(status == 201, f"sending was answered with {status}")
        check(TEXT in received(bridge), "the message did not arrive")
        for child in children(make.pid):
            os.kill(child, signal.SIGTERM)
        code = make.wait(STOP_SECONDS)
        check(code == 0, f"after SIGTERM it ended with exit code {code}")
    finally:
        make.kill()
    print(f"`make run` and a first message work on Python {sys.version.split()[0]}.")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def wait_ready(make: subprocess.Popen[bytes], bridge: str) -> None:
    ends_at = time.monotonic() + READY_SECONDS
    while time.monotonic() < ends_at:
        check(make.poll() is None, f"`make run` ended with exit code {make.returncode}")
        with contextlib.suppress(OSError):  # not there yet, or not ready yet
            if ask(f"{bridge}/readyz")[0] == 200:
                return
        time.sleep(0.2)
    sys.exit(f"not ready within {READY_SECONDS:g} s")


def received(bridge: str) -> str:
    _, messages = ask(f"{bridge}/v1/receive/{BOB}")
    return json.dumps(messages)


def ask(url: str, body: bytes | None = None) -> tuple[int, Any]:
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.status, json.load(answer)


def children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def check(as_expected: bool, sentence: str) -> None:
    if not as_expected:
        sys.exit(sentence)


if __name__ == "__main__":
    main()
