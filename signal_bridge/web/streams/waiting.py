"""Waiting for the feed and for the client at once.

A client that hangs up while it waits ends the wait: its thread goes back to work at once. One
that closed only its own side looks the same from here, and reads what is sent to it all the same.
"""

from __future__ import annotations

import select
from typing import Any

from flask import request

from signal_bridge.clock import Deadline
from signal_bridge.feed.event import Page
from signal_bridge.feed.feed import Feed
from signal_bridge.feed.filters import Filter
from signal_bridge.feed.watch import WaitingFollower
from signal_bridge.gunicorn_parts import CLIENT_SOCKET
from signal_bridge.web.edge.context import bridge, client
from signal_bridge.web.streams import Place


def place() -> Place:
    """A place among the streams for the request in hand, while it waits for something to come.

    Without one it is refused, and not told that there is nothing: who polls would ask again at
    once, and again. What is there already is answered before anybody needs a place. Raises
    TooManyStreams.
    """
    return bridge().streams.take(client())


def wait(follower: WaitingFollower, deadline: Deadline) -> bool:
    """Until the follower of this request is woken. False when the time is up, or nobody waits."""
    poller = select.poll()
    poller.register(follower.fd, select.POLLIN)
    if (connection := request.environ.get(CLIENT_SOCKET)) is not None:
        poller.register(connection, select.POLLRDHUP)
    ready = [fd for fd, _events in poller.poll(deadline.remaining_seconds() * 1000)]
    follower.clear()
    return ready == [follower.fd]


class Line:
    """The connection to the client of a stream, None for one that cannot be seen.

    Whether somebody who closed its own side still reads is found out by sending something.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._events = select.POLLRDHUP  # an end is told in any case: POLLHUP, POLLERR

    def wait(self, follower: WaitingFollower, deadline: Deadline) -> bool:
        """Until the follower is woken or the time is up. True: send something, now.

        The client has closed its side, of which is told once, or it is gone.
        """
        poller = select.poll()
        poller.register(follower.fd, select.POLLIN)
        if self._connection is not None:
            poller.register(self._connection, self._events)
        ready = {fd for fd, _events in poller.poll(deadline.remaining_seconds() * 1000)}
        if follower.fd in ready:
            follower.clear()
        if ready <= {follower.fd}:
            return False
        self._events = 0
        return True


def client_has_hung_up() -> bool:
    """Whether the client of this request has closed its side of the connection."""
    if (connection := request.environ.get(CLIENT_SOCKET)) is None:
        return False
    poller = select.poll()
    poller.register(connection, select.POLLRDHUP)
    return bool(poller.poll(0))


def page_or_wait(feed: Feed, wanted: Filter, after: int, limit: int, deadline: Deadline) -> Page:
    """What this request reads above `after`, waited for until the deadline.

    Raises StoreError, or TooManyStreams when it would have to wait.
    """
    page = feed.read(wanted, after, limit)
    if page.tells or deadline.expired() or feed.closing:
        return page
    with place(), feed.following(wanted) as follower:
        while True:
            page = follower.read(page.through, limit)
            if page.tells or feed.closing or not wait(follower, deadline):
                return page
