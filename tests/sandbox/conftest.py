"""One sandbox per file of tests, and as many fresh ones as a test asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.sandbox.daemon import Client, Sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Shared by the tests of a file: they look only at what they sent themselves."""
    sandbox = Sandbox("--receive-mode", "manual")
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
def start() -> Iterator[Callable[..., Sandbox]]:
    started: list[Sandbox] = []

    def start(*flags: str, before: tuple[str, ...] = (), inherit: bool = True) -> Sandbox:
        started.append(Sandbox(*flags, before=before, inherit=inherit))
        return started[-1]

    yield start
    for sandbox in started:
        sandbox.close()
