"""One sandboxed bridge for the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import Bridge


@pytest.fixture(scope="module")
def bridge() -> Iterator[Bridge]:
    with Bridge(MODE="sandbox") as served:
        yield served.wait_ready()
