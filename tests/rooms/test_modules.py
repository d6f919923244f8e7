"""Who may import whom (setup.cfg), and that no room grows beyond reading."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
MODULE_LINES = 400


def test_imports_go_one_way() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--config", "setup.cfg"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_every_module_can_be_read_in_one_sitting() -> None:
    too_long = {
        str(module.relative_to(ROOT)): lines
        for module in (ROOT / "signal_bridge").rglob("*.py")
        if (lines := len(module.read_text().splitlines())) > MODULE_LINES
    }
    assert too_long == {}
