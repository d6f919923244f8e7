"""A bridge, a signal-cli full of messages, and everybody attached who can read them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pytest

from tests.faults.consumers import (
    Consumer,
    FeedConsumer,
    Hook,
    Poller,
    Seen,
    SseClient,
    WebSocketClient,
    differing,
    first_times,
    steps_back,
)
from tests.faults.source import Source, stored
from tests.support import Bridge, ScriptedDaemon, eventually
from tests.support.databases import Database

# One attempt after another, quickly: about half a minute in all.
RETRY_SECONDS = ",".join(["0.1"] * 300)


class Crowd:
    """Everybody who can read the feed: two webhooks and four clients."""

    def __init__(self, bridge: Bridge) -> None:
        self.hooks = [Hook(bridge), Hook(bridge, "jsonrpc")]
        self.clients: list[Consumer] = [
            WebSocketClient(bridge),
            SseClient(bridge),
            Poller(bridge),
            FeedConsumer(bridge),
        ]
        for client in self.clients:
            client.start()

    def stop(self) -> None:
        for one in (*self.clients, *self.hooks):
            one.stop()

    def seen(self) -> dict[str, list[Seen]]:
        """What each has seen so far."""
        clients = {type(client).__name__: list(client.seen) for client in self.clients}
        hooks = {f"webhook {n}": list(hook.seen) for n, hook in enumerate(self.hooks, 1)}
        return {**clients, **hooks}

    def wait_until_all_have(self, count: int, seconds: float = 90.0) -> None:
        """Until message `count - 1`, and so all before it, has come to everybody."""
        eventually(
            lambda: min(self._newest().values()) >= count - 1,
            seconds,
            lambda: f"{count} messages for everybody, not {self._newest()}",
        )

    def check(self, count: int, most_steps_back: int | None = None) -> None:
        """Every message, in order; what is doubled is the same, and follows a step back."""
        for name, seen in self.seen().items():
            assert first_times(seen) == list(range(count)), name
            assert not differing(seen), name
            assert most_steps_back is None or steps_back(seen) <= most_steps_back, name

    def _newest(self) -> dict[str, int]:
        clients = {type(client).__name__: client.newest for client in self.clients}
        return {**clients, **{f"webhook {n}": h.newest for n, h in enumerate(self.hooks, 1)}}


class Scene:
    """The bridge on a scripted daemon whose messages come from `source`."""

    def __init__(self, bridge: Bridge, daemon: ScriptedDaemon, source: Source) -> None:
        self.bridge = bridge
        self.daemon = daemon
        self.source = source

    def wait_stored(self, count: int, seconds: float = 60.0) -> None:
        eventually(
            lambda: len(stored(self.bridge)) >= count,
            seconds,
            lambda: f"{count} messages, not {len(stored(self.bridge))}",
        )


@pytest.fixture
def scene(
    start_bridge: Callable[..., Bridge], daemon: ScriptedDaemon, database: Database
) -> Iterator[Scene]:
    with staged(start_bridge, daemon, database) as scene:
        yield scene


@contextlib.contextmanager
def staged(
    start_bridge: Callable[..., Bridge], daemon: ScriptedDaemon, database: Database
) -> Iterator[Scene]:
    bridge = start_bridge(
        MODE="json-rpc",
        BRIDGE_SIGNAL_CLI_RPC=daemon.address,
        BRIDGE_WEBHOOK_RETRY_SECONDS=RETRY_SECONDS,
        **database.settings,
    )
    if database.settings:
        bridge.database_url = database.url  # whatever the bridge's own way to it is
    with Source(daemon, bridge) as source:
        daemon.drop_connections()  # it may have subscribed before there was a source
        yield Scene(bridge.wait_ready(), daemon, source)


@pytest.fixture
def crowd(scene: Scene) -> Iterator[Crowd]:
    crowd = Crowd(scene.bridge)
    yield crowd
    crowd.stop()
