"""One sandbox per file of tests and version, and as many fresh ones as a test asks for.

All tests run on every version of signal-cli that the sandbox can be, but for those that are marked
as `only_new`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from signal_bridge.sandbox.versions import VERSIONS, Version
from tests.sandbox.daemon import Client, Sandbox

only_new = pytest.mark.parametrize("version", ["0.14"], indirect=True)
"""On a test of what 0.13.19 does not know; that it does not is tested in test_versions.py."""


@pytest.fixture(scope="module", params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    """What the sandbox is told to be, with `--as`."""
    return str(request.param)


@pytest.fixture
def knows(version: str) -> Version:
    """How that version differs from others."""
    return VERSIONS[version]


@pytest.fixture(scope="module")
def sandbox(version: str) -> Iterator[Sandbox]:
    """Shared by the tests of a file: they look only at what they sent themselves."""
    sandbox = Sandbox("--receive-mode", "manual", version=version)
    yield sandbox
    sandbox.close()


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    """A connection without a subscription."""
    client = sandbox.connect()
    yield client
    client.close()


@pytest.fixture
def subscriber(client: Client) -> Client:
    """A connection that gets the messages of all accounts."""
    client.result("subscribeReceive", account=None)
    return client


@pytest.fixture
def start(version: str) -> Iterator[Callable[..., Sandbox]]:
    started: list[Sandbox] = []

    def start(*flags: str, before: tuple[str, ...] = (), inherit: bool = True) -> Sandbox:
        started.append(Sandbox(*flags, before=before, inherit=inherit, version=version))
        return started[-1]

    yield start
    for sandbox in started:
        sandbox.close()
