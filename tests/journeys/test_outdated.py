"""A signal-cli that Signal no longer accepts: everybody is told so, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import Bridge, eventually

ALICE, BOB = "+12025550100", "+12025550101"
# As signal-cli 0.14 ends when its account is answered with 499 (signal-cli.rst 4.3).
SAYS = (
    "ERROR SignalAccountFiles - Failed to load *: signal-cli version is too old for the "
    "Signal-Server, please update. (IOException)"
)
PROGRAM = f"""#!/bin/sh
echo start >>"$0.starts"
echo "INFO  LibSignal - started" >&2
echo "{SAYS}" >&2
echo "Failed to load local accounts file" >&2
exit 3
"""


@pytest.fixture
def bridge(tmp_path: Path, start_bridge: Callable[..., Bridge]) -> Iterator[Bridge]:
    program = tmp_path / "signal-cli"
    program.write_text(PROGRAM)
    program.chmod(0o755)
    bridge = start_bridge(MODE="normal", BRIDGE_SIGNAL_CLI=program)
    eventually(lambda: "no longer accepts" in bridge.get("/readyz").text, 20)
    yield bridge
    bridge.stop()


def test_health_says_so_and_what_to_do(bridge: Bridge) -> None:
    for path in ("/readyz", "/v1/health"):
        answer = bridge.get(path)
        body = answer.json()
        assert (answer.status_code, body["code"]) == (503, "signal_cli_outdated")
        assert body["retryable"] is False
        assert "install a current one" in body["reasons"]["signal-cli"]
    assert bridge.get("/livez").status_code == 200


def test_every_call_says_so_at_once(bridge: Bridge) -> None:
    body = {"number": ALICE, "recipients": [BOB], "message": "hello"}
    for answer in (
        bridge.post("/v2/send", json=body),
        bridge.get("/v1/accounts"),
        bridge.get(f"/v1/groups/{ALICE}"),
        bridge.get("/v1/qrcodelink?device_name=bridge"),
    ):
        told = answer.json()
        assert (answer.status_code, told["code"]) == (503, "signal_cli_outdated"), answer.text
        assert (told["outcome"], told["retryable"]) == ("not_sent", False)
        assert "pull a current image" in told["error"]


def test_the_log_says_so_once_and_it_is_not_started_again_soon(
    bridge: Bridge, tmp_path: Path
) -> None:
    assert bridge.log.count("Signal no longer accepts this version of signal-cli") >= 1
    assert "next start in 600 s" in bridge.log
    assert (tmp_path / "signal-cli.starts").read_text() == "start\n"
