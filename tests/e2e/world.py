"""Somebody with an account on the bridge, and friends who are elsewhere: real, or the sandbox.

The scenarios only know `World` and `Friend`, so the same ones run on the real signal-cli against
the mock service, where friends are telephones, and on the sandbox, where they are other accounts
of it. What the simulator does otherwise than signal-cli fails there.
"""

from __future__ import annotations

import base64
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.e2e import heard
from tests.e2e.heard import Heard, Json
from tests.support import Bridge, eventually

HEAR_SECONDS = 20.0

Fits = Callable[[Heard], Any]


class Reader:
    """Reads an account at the bridge, poll by poll, and keeps what came."""

    def __init__(self, bridge: Bridge, number: str) -> None:
        self._bridge = bridge
        self._number = number
        self.elements: list[Json] = []

    def poll(self, seconds: int = 1) -> list[Json]:
        answer = self._bridge.get(f"/v1/receive/{self._number}", params={"timeout": seconds})
        assert answer.status_code == 200, answer.text
        self.elements += answer.json()
        return self.elements

    def all(self) -> list[Heard]:
        return [heard.at_the_bridge(one, self._fetch) for one in self.elements]

    def wait_for(self, fits: Fits, seconds: float = HEAR_SECONDS) -> Heard:
        def found() -> Heard | None:
            one = next((one for one in self.all() if fits(one)), None)
            return one or next((one for one in self._more() if fits(one)), None)

        return eventually(found, seconds, lambda: f"a message among {self.all()}")

    def _more(self) -> list[Heard]:
        self.poll()
        return self.all()

    def _fetch(self, attachment: Json) -> bytes:
        answer = self._bridge.get(f"/v1/attachments/{attachment['id']}")
        assert answer.status_code == 200, answer.text
        return answer.content


@dataclass(frozen=True)
class GroupSeen:
    """A group as a friend sees it; people by number."""

    name: str
    description: str
    members: frozenset[str]
    admins: frozenset[str]
    invited: frozenset[str]


class Friend(ABC):
    """Somebody else. What is said is said to the world's account, or in a group of it."""

    number: str
    aci: str

    @abstractmethod
    def say(self, text: str = "", **extras: Any) -> int:
        """Sends a message and gives its timestamp. `extras`, all of them optional:

        `files` [(name, type, bytes)], `quote` (timestamp, text), `mentions` and `styles` as in
        Heard, `view_once`, `edits` (timestamp), `group` (its id within signal-cli).
        """

    @abstractmethod
    def react(self, emoji: str, timestamp: int, take_back: bool = False) -> None: ...

    @abstractmethod
    def delete(self, timestamp: int) -> None: ...

    @abstractmethod
    def type_something(self, stop: bool = False) -> None: ...

    @abstractmethod
    def confirm_reading(self, timestamp: int) -> None: ...

    @abstractmethod
    def hears(self, fits: Fits, seconds: float = HEAR_SECONDS) -> Heard:
        """The first thing this friend got that `fits`, waited for."""

    @abstractmethod
    def group(self, group: str) -> GroupSeen: ...

    @abstractmethod
    def new_group(self, name: str, members: list[Friend]) -> str:
        """A group of this friend's with `members`; the account is invited to it."""

    @abstractmethod
    def rename_group(self, group: str, name: str) -> None: ...

    def hears_text(self, text: str) -> Heard:
        return self.hears(lambda one: one.text == text)

    def sees_group(self, group: str, fits: Callable[[GroupSeen], Any]) -> GroupSeen:
        def found() -> GroupSeen | None:
            seen = self.group(group)
            return seen if fits(seen) else None

        return eventually(found, HEAR_SECONDS, lambda: f"the change in {self.group(group)}")  # type: ignore[return-value]


class World(ABC):
    """An account on the bridge, `account`; two friends."""

    bridge: Bridge
    account: str
    friend: Friend
    other: Friend
    reader: Reader

    @abstractmethod
    def somebody_scans(self, uri: str) -> None:
        """Somebody who has no account here yet links with the QR code of `uri`."""

    @abstractmethod
    def somebody_with_new_keys(self) -> str:
        """The number of somebody whose safety number has changed since they last met."""

    @abstractmethod
    def somebody_behind_a_challenge(self) -> str:
        """The number of somebody who can only be written to after a captcha."""

    @abstractmethod
    def close(self) -> None: ...

    @property
    @abstractmethod
    def logs(self) -> dict[str, str]: ...

    def send(self, message: str = "", to: str | None = None, **members: Any) -> int:
        """POST /v2/send to the friend, or to whoever is named; the message's timestamp."""
        body = {"number": self.account, "recipients": [to or self.friend.number]} | members
        answer = self.bridge.post("/v2/send", json=body | {"message": message})
        assert answer.status_code == 201, answer.text
        return timestamp_of(answer.json())

    def call(self, method: str, path: str, status: int = 204, **body: Any) -> Any:
        """A request about the account, whose number follows `path`'s first `{}`."""
        answer = self.bridge.request(method, path.format(self.account), json=body or None)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def hears(self, fits: Fits, seconds: float = HEAR_SECONDS) -> Heard:
        return self.reader.wait_for(fits, seconds)

    def hears_text(self, text: str) -> Heard:
        return self.hears(lambda one: one.text == text)


def timestamp_of(sent: Any) -> int:
    """`/v2/send` answers with one object, or with a list of one for each recipient."""
    return int((sent[0] if isinstance(sent, list) else sent)["timestamp"])


def rest_id(group: str) -> str:
    """How the REST surface names a group."""
    return f"group.{base64.b64encode(group.encode()).decode()}"
