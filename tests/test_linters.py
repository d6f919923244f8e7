"""The code is as ruff and mypy want it: the same commands as `make lint`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
RUFF_CONFIG = ("--config", "tests/ruff.toml")
PYTHON_CODE = [
    place
    for place in ("signal_bridge", "tests", "bench", ".ci", "deploy/install-signal-cli")
    if (ROOT / place).exists()
]


def run(module: str, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_ruff_finds_nothing() -> None:
    run("ruff", "check", *RUFF_CONFIG, *PYTHON_CODE)


def test_everything_is_formatted() -> None:
    run("ruff", "format", "--check", *RUFF_CONFIG, *PYTHON_CODE)


def test_the_types_hold() -> None:
    run("mypy")
