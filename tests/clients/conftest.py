"""One bridge on the sandbox for all clients. Each test looks only at what it sent itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import Bridge


@pytest.fixture(scope="package")
def bridge() -> Iterator[Bridge]:
    with Bridge(MODE="sandbox") as bridge:
        yield bridge.wait_ready()
