"""Waiting for the feed and for the client at once.

A client that hangs up while it waits ends the wait: its thread goes back to work at once. One
that closed only its own side looks the same from here, and reads what is sent to it all the same.
"""

from __future__ import annotations

import select
from collections.abc import Iterator
from contextlib import contextmanager

from flask import request

from signal_bridge.clock import Deadline
from signal_bridge.feed.event import Page
from signal_bridge.feed.feed import Feed
from signal_bridge.feed.filters import Filter
from signal_bridge.feed.watch import WaitingFollower
from signal_bridge.gunicorn_parts import CLIENT_SOCKET
from signal_bridge.web.edge.context import bridge


@contextmanager
def patience(seconds: float) -> Iterator[Deadline]:
    """For how long the request in hand may wait for something to come: `seconds`, or not at all.

    A request that waits is a stream for as long as it waits; without a place it does not wait.
    """
    with bridge().streams.one_if_free() as may_wait:
        yield Deadline(seconds if may_wait else 0)


def wait(follower: WaitingFollower, deadline: Deadline) -> bool:
    """Until the follower of this request is woken. False when the time is up, or nobody waits."""
    poller = select.poll()
    poller.register(follower.fd, select.POLLIN)
    if (connection := request.environ.get(CLIENT_SOCKET)) is not None:
        poller.register(connection, select.POLLRDHUP)
    ready = [fd for fd, _events in poller.poll(deadline.remaining_seconds() * 1000)]
    follower.clear()
    return ready == [follower.fd]


def client_has_hung_up() -> bool:
    """Whether the client of this request has closed its side of the connection."""
    if (connection := request.environ.get(CLIENT_SOCKET)) is None:
        return False
    poller = select.poll()
    poller.register(connection, select.POLLRDHUP)
    return bool(poller.poll(0))


def page_or_wait(feed: Feed, wanted: Filter, after: int, limit: int, deadline: Deadline) -> Page:
    """What this request reads above `after`, waited for until the deadline. Raises StoreError."""
    page = feed.read(wanted, after, limit)
    if page.tells or deadline.expired() or feed.closing:
        return page
    with feed.following(wanted) as follower:
        while True:
            page = follower.read(page.through, limit)
            if page.tells or feed.closing or not wait(follower, deadline):
                return page
