"""What `make` says on a machine that lacks something."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# Pretends something, and then does what it is told.
PYTHON = """#!/bin/sh
exec python3 -c "
import sys
{pretence}
$2"
"""


@pytest.mark.parametrize(
    ("pretence", "sentence"),
    [
        ("sys.version_info = (3, 9, 2)", "Python 3.11 or newer is needed, and this is 3.9"),
        ("sys.modules['ensurepip'] = None", "apt install python3-venv"),
        ("sys.modules['venv'] = None", "apt install python3-venv"),
        (None, "There is no"),
    ],
)
@pytest.mark.parametrize("target", ["run", "test", "lint"])
def test_a_python_that_will_not_do_is_one_sentence_and_leaves_nothing(
    tmp_path: Path, target: str, pretence: str | None, sentence: str
) -> None:
    for name in ("Makefile", "setup.cfg"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "deploy").mkdir()
    shutil.copy(ROOT / "deploy/constraints.txt", tmp_path / "deploy")
    python = tmp_path / "python"
    if pretence:
        python.write_text(PYTHON.format(pretence=pretence))
        python.chmod(0o755)
    done = subprocess.run(
        ["make", "--silent", f"PYTHON={python}", target], cwd=tmp_path, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    # Within another make, as in `make test`, it counts how deep it is.
    said = [line for line in done.stderr.splitlines() if not re.match(r"make(\[\d+\])?: ", line)]
    assert len(said) == 1, done.stderr
    assert sentence in said[0]
    assert not (tmp_path / ".venv").exists()
