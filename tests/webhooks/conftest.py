"""A database with a feed, receivers, and couriers that are stopped at the end."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from signal_bridge.delivery.webhooks.addresses import Rules
from signal_bridge.delivery.webhooks.couriers import Couriers
from signal_bridge.delivery.webhooks.registry import Registry
from signal_bridge.delivery.webhooks.webhook import Webhook
from signal_bridge.feed.envelope import arrival_of
from signal_bridge.feed.feed import Feed
from signal_bridge.store.engine import Store
from signal_bridge.store.leases import Lease, Leases
from signal_bridge.store.tables import events, leases, pruned
from tests.support import eventually
from tests.webhooks.receiver import Receiver

ACCOUNT = "+4915112345"
SENDER = "+4917000000"


@pytest.fixture
def receive() -> Iterator[Callable[[], Receiver]]:
    """Makes receivers."""
    receivers: list[Receiver] = []

    def make() -> Receiver:
        receivers.append(Receiver())
        return receivers[-1]

    yield make
    for one in receivers:
        one.close()


@pytest.fixture
def receiver(receive: Callable[[], Receiver]) -> Receiver:
    return receive()


class Desk:
    """The feed, the registry and the couriers over one database."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.feed = Feed(store)
        self.registry = Registry(store, Rules())
        self._couriers: Couriers | None = None
        self._times = itertools.count(1)

    def register(self, url: str, account: str = ACCOUNT, **fields: Any) -> Webhook:
        return self.registry.create(account, {"url": url, **fields})[0]

    def get(self, webhook: Webhook) -> Webhook:
        return self.registry.get(webhook.account, webhook.id)

    def tell(self, *texts: str, account: str = ACCOUNT, sender: str = SENDER) -> None:
        """Text messages arrive."""
        self.arrive(*({"dataMessage": {"message": text}} for text in texts), account=account,
                    sender=sender)  # fmt: skip

    def arrive(
        self, *contents: dict[str, Any], account: str = ACCOUNT, sender: str = SENDER
    ) -> None:
        """Envelopes with this content arrive."""
        self.feed.append(
            [
                arrival_of(
                    {
                        "account": account,
                        "envelope": {
                            "source": sender,
                            "sourceNumber": sender,
                            "timestamp": next(self._times),
                            **content,
                        },
                    }
                )
                for content in contents
            ]
        )

    def start(
        self, waits_seconds: tuple[float, ...] = (0.01,) * 20, lease: Lease | None = None
    ) -> None:
        self._couriers = Couriers(self.store, Feed(self.store), Rules(), waits_seconds, lease)
        self._couriers.start()

    def lease(self, holder: str) -> Lease:
        """The right to deliver, taken from whoever has it."""
        with self.store.write() as unit:
            unit.execute(sa.update(leases).values(ends_ms=0))
            lease = Leases(self.store).take(unit, "daemon", holder)
        assert lease is not None
        return lease

    def remove(self, through: int, account: str = ACCOUNT, kind: str = "message") -> None:
        """Events up to `through` are no longer kept, as retention leaves them."""
        counts = {"removed": through, "unread": 0, "parked": 0}
        gap = {"account": account, "kind": kind, "through_seq": through, **counts}
        with self.store.write() as unit:
            unit.execute(sa.delete(events).where(events.c.seq <= through))
            unit.execute(sa.delete(pruned))
            unit.execute(sa.insert(pruned), gap)

    def start_another(self) -> None:
        """As after a change of daemons: the one before is still there, for what that is worth."""
        former = self.leave()
        self.start(lease=self.lease("another"))
        former.stop()

    def leave(self) -> Couriers:
        """From now on the couriers are the caller's to stop."""
        assert self._couriers is not None
        couriers, self._couriers = self._couriers, None
        return couriers

    def stop(self) -> None:
        if self._couriers is not None:
            self._couriers.stop()
            self._couriers = None

    def serves(self, webhook: Webhook) -> bool:
        """Whether the webhook has a courier."""
        return self._couriers is not None and webhook.id in self._couriers.served_ids()

    def wait_position(self, webhook: Webhook, position: int) -> None:
        """Until everything up to `position` is dealt with, and that is written down."""
        eventually(
            lambda: self.get(webhook).position >= position,
            20,
            lambda: f"position {position}, not {self.get(webhook)}",
        )


@pytest.fixture
def desk(store: Store) -> Iterator[Desk]:
    desk = Desk(store)
    yield desk
    desk.stop()
