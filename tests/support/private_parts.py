"""Canaries for what a library does not document: each fails with the version it was read from."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import inspect
from pathlib import Path
from typing import Any

CONSTRAINTS = Path(__file__).parents[2] / "deploy/constraints.txt"


@dataclasses.dataclass(frozen=True)
class PrivateParts:
    """Of one library, used in one module of ours."""

    library: str
    read_from: str
    module: str

    def assert_version(self) -> None:
        """The version that was read is the one installed, and the one pinned."""
        installed = importlib.metadata.version(self.library)
        assert installed == self.read_from, self._because(f"{installed} is installed")
        pinned = CONSTRAINTS.read_text().lower().splitlines()
        assert f"{self.library}=={self.read_from}" in pinned, self._because("another is pinned")

    def assert_takes(self, owner: Any, name: str, *parameters: str) -> None:
        """A function of `owner` is there and takes these parameters."""
        function = getattr(owner, name, None)
        assert function is not None, self._because(f"{owner.__name__}.{name} is gone")
        found = tuple(inspect.signature(function).parameters)
        assert found == parameters, self._because(f"{owner.__name__}.{name} takes {found}")

    def assert_has(self, owner: Any, *names: str) -> None:
        """An object has these attributes."""
        gone = [name for name in names if not hasattr(owner, name)]
        assert not gone, self._because(f"{owner!r} has no {gone}")

    def assert_that(self, it_is_so: bool, what: str) -> None:
        """It behaves as `what` says."""
        assert it_is_so, self._because(f"it is not so any more that {what}")

    def _because(self, finding: str) -> str:
        return (
            f"{self.module} was read from {self.library} {self.read_from}, and {finding}: "
            f"read again what that module lists, then say which version in its READ_FROM"
        )
