"""Everybody who can read the feed. Each comes back when it is cut off, and keeps what it saw."""

from __future__ import annotations

import abc
import contextlib
import hashlib
import itertools
import json
import threading
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import requests
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from tests.conftest import ACCOUNT
from tests.faults.source import FIRST_TIMESTAMP_MS
from tests.support import Bridge
from tests.webhooks.receiver import Post, Receiver

_BACK_AFTER_SECONDS = 0.05
_LOOK_SECONDS = 0.5
_READ_SECONDS = 30.0


class Seen(NamedTuple):
    """Message `number`, with a digest of all that came: the same message has the same `content`."""

    number: int
    content: str


def seen(body: Any, name: str = "") -> Seen:
    """`{"envelope": …, "account": …}`, and the name it came under if it had one."""
    number = int(body["envelope"]["timestamp"]) - FIRST_TIMESTAMP_MS
    content = name + json.dumps(body, sort_keys=True)
    return Seen(number, hashlib.sha256(content.encode()).hexdigest()[:16])


class Consumer(abc.ABC):
    """Reads on a thread of its own from `start` to `stop`, or to the end of the bridge after it."""

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge
        self.seen: list[Seen] = []  # written by one thread; appending is atomic
        self._done = threading.Event()
        name = type(self).__name__
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._done.set()

    @property
    def newest(self) -> int:
        """The number of the message that came last, -1 before the first."""
        return self.seen[-1].number if self.seen else -1

    def done(self) -> bool:
        return self._done.is_set()

    @abc.abstractmethod
    def read(self) -> None:
        """Read until it is `done`, or cut off."""

    def _run(self) -> None:
        while not self.done():
            with contextlib.suppress(OSError, WebSocketException):  # requests' errors are OSErrors
                self.read()
            self._done.wait(_BACK_AFTER_SECONDS)


class WebSocketClient(Consumer):
    def read(self) -> None:
        url = f"ws://127.0.0.1:{self.bridge.port}/v1/receive/{ACCOUNT}"
        with connect(url, max_size=None, close_timeout=1) as client:
            while not self.done():
                with contextlib.suppress(TimeoutError):
                    self.seen.append(seen(json.loads(client.recv(timeout=_LOOK_SECONDS))))


class SseClient(Consumer):
    """Remembers the last id, and asks for what follows it."""

    last_id = "0"

    def read(self) -> None:
        with sse(self.bridge, self.last_id) as events:
            for event_id, body in events:
                self.seen.append(seen(body))
                self.last_id = event_id
                if self.done():
                    return


class Poller(Consumer):
    def read(self) -> None:
        query = {"timeout": 1, "max_messages": 200}
        answer = self.bridge.get(f"/v1/receive/{ACCOUNT}", params=query)
        answer.raise_for_status()
        self.seen.extend(seen(element) for element in answer.json())


class FeedConsumer(Consumer):
    """Reads pages, deals with them, and then acknowledges them."""

    def read(self) -> None:
        query = {"consumer": "bot", "timeout": 1, "types": "message"}
        page = self.bridge.get("/v1/events", params=query)
        page.raise_for_status()
        if events := page.json()["events"]:
            self.seen.extend(seen(event) for event in events)
            acknowledgement = {"consumer": "bot", "seq": page.json()["next"]}
            self.bridge.post("/v1/events/ack", json=acknowledgement).raise_for_status()


class Hook:
    """A webhook of the account, and its receiver. A delivery is named by its `webhook-id`."""

    def __init__(self, bridge: Bridge, format_: str = "standard") -> None:
        self.receiver = self.make_receiver()
        body = {"webhook": self.receiver.url, "format": format_}
        answer = bridge.post(f"/v1/receive/{ACCOUNT}", json=body)
        assert answer.status_code == 201, answer.text
        self.id = answer.json()["id"]

    def stop(self) -> None:
        self.receiver.close()

    def reopen(self) -> None:
        """A receiver at the same address as the one that was closed."""
        self.receiver = self.make_receiver(self.receiver.port)

    def make_receiver(self, port: int = 0) -> Receiver:
        return Receiver(port)

    @property
    def seen(self) -> list[Seen]:
        return [delivered(post) for post in self.receiver.posts]

    @property
    def newest(self) -> int:
        return delivered(posts[-1]).number if (posts := self.receiver.posts) else -1

    @property
    def count(self) -> int:
        return len(self.receiver.posts)


def delivered(post: Post) -> Seen:
    return seen(post.json.get("params") or post.json, post.id)


@contextlib.contextmanager
def sse(bridge: Bridge, last_id: str) -> Iterator[Iterator[tuple[str, Any]]]:
    """The account's events after `last_id`, each with its id, until the connection ends."""
    headers = {"Accept": "text/event-stream", "Last-Event-ID": last_id}
    url = f"{bridge.url}/v1/receive/{ACCOUNT}"
    with requests.get(url, headers=headers, stream=True, timeout=_READ_SECONDS) as answer:
        answer.raise_for_status()
        yield _events_in(answer)


def _events_in(answer: requests.Response) -> Iterator[tuple[str, Any]]:
    event_id = ""
    for row in answer.iter_lines(chunk_size=None):
        name, _, value = row.partition(b":")
        if name == b"id":
            event_id = value.decode().strip()
        elif name == b"data":
            yield event_id, json.loads(value)


def first_times(all_seen: Sequence[Seen]) -> list[int]:
    """The numbers in the order in which each came for the first time."""
    return list(dict.fromkeys(one.number for one in all_seen))


def steps_back(all_seen: Sequence[Seen]) -> int:
    """How often something came that does not follow what came before it."""
    pairs = itertools.pairwise(all_seen)
    return sum(after.number != before.number + 1 for before, after in pairs)


def differing(all_seen: Sequence[Seen]) -> set[int]:
    """The numbers that came more than once, and not the same each time."""
    contents: dict[int, str] = {}
    return {one.number for one in all_seen if contents.setdefault(*one) != one.content}
