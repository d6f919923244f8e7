"""The agent that keeps signal-cli on this machine ends it when anything is not as it should be."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.e2e import parts
from tests.e2e.mock import FOR_AGENT

HALTED = 70
GOOD = {
    "service": "https://127.0.0.1:1",
    "directory": "http://127.0.0.1:1/directory",
    **dict.fromkeys(FOR_AGENT[2:], "AAAA"),
}


def run(home: Path, about: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """`signal-cli --version`, which calls nobody in any case."""
    properties = home / "redirect.properties"
    properties.write_text("".join(f"{name}={value}\n" for name, value in about.items()))
    environ = os.environ | {"JAVA_OPTS": f"-javaagent:{parts.agent()}={properties}"}
    command = [parts.signal_cli(), "--config", home / "data", "--version"]
    return subprocess.run(
        command, env=environ, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.usefixtures("all_parts")
class TestAgent:
    def test_signal_cli_runs_with_the_mocks_addresses(self, tmp_path: Path) -> None:
        done = run(tmp_path, GOOD)
        assert (done.returncode, done.stdout.split()[0]) == (0, "signal-cli"), done.stderr

    @pytest.mark.parametrize("name", ["service", "directory"])
    @pytest.mark.parametrize(
        "address", ["https://chat.signal.org", "https://10.0.0.1:443", "https://localhost.evil:1"]
    )
    def test_an_address_elsewhere_ends_it(self, tmp_path: Path, name: str, address: str) -> None:
        done = run(tmp_path, GOOD | {name: address})
        assert done.returncode == HALTED
        assert f"{address} is not loopback" in done.stderr

    @pytest.mark.parametrize("name", FOR_AGENT)
    def test_a_missing_value_ends_it(self, tmp_path: Path, name: str) -> None:
        done = run(tmp_path, {key: value for key, value in GOOD.items() if key != name})
        assert done.returncode == HALTED, done.stdout

    def test_a_missing_file_ends_it(self, tmp_path: Path) -> None:
        environ = os.environ | {"JAVA_OPTS": f"-javaagent:{parts.agent()}={tmp_path}/none"}
        done = subprocess.run(
            [parts.signal_cli(), "--version"], env=environ, check=False, timeout=60,
            capture_output=True,
        )  # fmt: skip
        assert done.returncode == HALTED
