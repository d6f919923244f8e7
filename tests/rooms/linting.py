"""Runs `lint-imports` on copies of the package that have more lines than it."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PACKAGE = "signal_bridge"

_HEADING = re.compile(r"^(.+)\n-+$", re.MULTILINE)


@dataclasses.dataclass(frozen=True, order=True)
class Import:
    """A line that a copy has more. The module that it stands in is made if there is none."""

    importer: str
    imported: str

    def __str__(self) -> str:
        return f"{self.importer} -> {self.imported}"


@dataclasses.dataclass(frozen=True)
class Report:
    """What `lint-imports` says: `complaints` are the texts by names of contracts."""

    exit_code: int
    text: str
    complaints: dict[str, str]

    def complains(self, contract: str, one: Import) -> bool:
        """Whether `contract` is broken by `one` alone, whatever else breaks it."""
        chain_of_one = re.compile(rf"^- +{re.escape(str(one))} \(l\.[^)]*\)\n\n", re.MULTILINE)
        return bool(chain_of_one.search(self.complaints.get(contract, "")))

    def complains_of_chain(self, contract: str, link: Import) -> bool:
        """Whether `contract` is broken by a chain of imports with this link."""
        return f" {link} (l." in self.complaints.get(contract, "")

    def excerpt(self, one: Import) -> str:
        """The lines about `one`, under the names of contracts."""
        lines = (line for line in self.text.splitlines() if str(one) in line or " BROKEN" in line)
        return "\n".join(lines)


def lint(directory: Path) -> Report:
    """The package in `directory` by the setup.cfg there."""
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--config", "setup.cfg",
         "--no-logo", "--no-cache"],
        cwd=directory, env={**os.environ, "COLUMNS": "1000"}, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=100,
    )  # fmt: skip
    return Report(done.returncode, done.stdout, _complaints(done.stdout))


def copy(directory: Path, more: Iterable[Import] = ()) -> Path:
    """The package and its rule in `directory`, with `more` lines; returns `directory`."""
    shutil.copytree(
        ROOT / PACKAGE, directory / PACKAGE, ignore=shutil.ignore_patterns("__pycache__", "static")
    )
    shutil.copy(ROOT / "setup.cfg", directory)
    for one in more:
        with _file_of(directory, one.importer).open("a") as file:
            file.write(f"\nimport {one.imported}\n")
        if one.imported.startswith(f"{PACKAGE}."):
            _file_of(directory, one.imported).touch()
    return directory


def module_of(room: str) -> str:
    """The module that a room is, else one in it that no list of modules knows.

    All modules of web are in one of its own rooms; the newcomer is a route.
    """
    name = f"{PACKAGE}.{room}"
    if _path(ROOT, name).with_suffix(".py").exists():
        return name
    return f"{name}.routes.newcomer" if room == "web" else f"{name}.newcomer"


def _file_of(directory: Path, module: str) -> Path:
    path = _path(directory, module)
    if path.is_dir():
        return path / "__init__.py"
    if not path.parent.exists():  # a room that is to come
        path.parent.mkdir()
        (path.parent / "__init__.py").touch()
    return path.with_suffix(".py")


def _path(directory: Path, module: str) -> Path:
    return directory.joinpath(*module.split("."))


def _complaints(text: str) -> dict[str, str]:
    """The last part of a report, if there is anything broken, by its headings."""
    _, _, broken = text.partition("\nBroken contracts\n")
    _, *parts = _HEADING.split(broken)
    return dict(zip(parts[::2], parts[1::2], strict=True))
