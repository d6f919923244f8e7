"""Somebody with an account on the bridge, and friends who are elsewhere: real, or the sandbox.

The scenarios only know `World` and `Friend`, so the same ones run on the real signal-cli against
the mock service, where friends are telephones, and on the sandbox, where they are other accounts
of it. What the simulator does otherwise than signal-cli fails there.
"""

from __future__ import annotations

import base64
import io
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e import heard, parts
from tests.e2e.heard import Heard, Json
from tests.e2e.mock import MockService, Phone
from tests.support import Bridge, eventually

LINK_SECONDS = 60.0
HEAR_SECONDS = 20.0
PNG_TYPE = "image/png"

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
        return _timestamp(answer.json())

    def call(self, method: str, path: str, status: int = 204, **body: Any) -> Any:
        """A request about the account, whose number follows `path`'s first `{}`."""
        answer = self.bridge.request(method, path.format(self.account), json=body or None)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def hears(self, fits: Fits, seconds: float = HEAR_SECONDS) -> Heard:
        return self.reader.wait_for(fits, seconds)

    def hears_text(self, text: str) -> Heard:
        return self.hears(lambda one: one.text == text)


# -- the real signal-cli -----------------------------------------------------------------------


class PhoneFriend(Friend):
    """A telephone of the mock service."""

    def __init__(self, phone: Phone, account: str) -> None:
        self.phone = phone
        self.number = phone.number
        self.aci = phone.aci
        self._account = account

    def say(self, text: str = "", **extras: Any) -> int:
        data = self._data(text, extras)
        if target := extras.get("edits"):
            content = {"editMessage": {"targetSentTimestamp": target, "dataMessage": data}}
        else:
            content = {"dataMessage": data}
        if group := extras.get("group"):
            return self.phone.send_to_group(group, **content)
        return self.phone.send(self._account, sealed=True, **content)

    def _data(self, text: str, extras: Json) -> Json:
        data: Json = {"body": text} if text else {}
        data["attachments"] = [
            self.phone.upload(content, kind, name)
            for name, kind, content in extras.get("files", ())
        ]
        if extras.get("quote"):
            timestamp, quoted = extras["quote"]
            data["quote"] = {"id": timestamp, "authorAci": self.aci, "text": quoted}
        data["bodyRanges"] = [
            {"start": start, "length": length, of: value}
            for of, name in (("mentionAci", "mentions"), ("style", "styles"))
            for start, length, value in extras.get(name, ())
        ]
        if extras.get("view_once"):
            data |= {"isViewOnce": True, "requiredProtocolVersion": 2}
        return data

    def react(self, emoji: str, timestamp: int, take_back: bool = False) -> None:
        reaction = {
            "emoji": emoji, "remove": take_back,
            "targetAuthorAci": self.aci, "targetSentTimestamp": timestamp,
        }  # fmt: skip
        self.phone.send(self._account, dataMessage={"reaction": reaction})

    def delete(self, timestamp: int) -> None:
        self.phone.send(self._account, dataMessage={"delete": {"targetSentTimestamp": timestamp}})

    def type_something(self, stop: bool = False) -> None:
        self.phone.type_something(self._account, "STOPPED" if stop else "STARTED")

    def confirm_reading(self, timestamp: int) -> None:
        self.phone.send(self._account, receiptMessage={"type": "READ", "timestamp": [timestamp]})

    def hears(self, fits: Fits, seconds: float = HEAR_SECONDS) -> Heard:
        fetch = self.phone.download

        def found() -> Heard | None:
            everything = (heard.on_a_phone(one, fetch) for one in self.phone.received())
            return next((one for one in everything if fits(one)), None)

        return eventually(found, seconds, lambda: f"among {self.phone.received()}")

    def group(self, group: str) -> GroupSeen:
        about = self.phone.in_groups("describe", group=group)
        number = self.phone.number_of
        members = about["members"]
        return GroupSeen(
            about["title"],
            about["description"],
            frozenset(number(one["id"]) for one in members),
            frozenset(number(one["id"]) for one in members if one["admin"]),
            frozenset(number(one) for one in about["pending"]),
        )

    def new_group(self, name: str, members: list[Friend]) -> str:
        others = [one.phone.name for one in members if isinstance(one, PhoneFriend)]
        group = str(self.phone.in_groups("create", title=name, members=others)["group"])
        account = self.phone.address_of(self._account)
        self.phone.in_groups("invite", group=group, aci=account)
        return group

    def rename_group(self, group: str, name: str) -> None:
        self.phone.in_groups("rename", group=group, title=name)


class RealWorld(World):
    """Alice's phone, linked with the bridge; Bob and Carol are in her address book."""

    def __init__(self, home: Path, **settings: object) -> None:
        self.mock = MockService(home)
        bob = self.mock.phone("bob")
        carol = self.mock.phone("carol")
        self.phone = self.mock.phone("alice", contacts=("bob", "carol"))
        self.account = self.phone.number
        self.friend, self.other = (PhoneFriend(one, self.account) for one in (bob, carol))
        self.bridge = Bridge(
            MODE="normal", BRIDGE_SIGNAL_CLI=parts.signal_cli(), JAVA_OPTS=self.mock.java_opts,
            **settings,
        )  # fmt: skip
        self.reader = Reader(self.bridge, self.account)
        self.bridge.start().wait_ready()

    def link(self) -> None:
        """As in the document: show the picture, scan it, done."""
        self.phone.scan(self.shown_link())
        self.wait_linked()

    def shown_link(self) -> str:
        # Installed by the fixture `all_parts`, after this module was imported.
        import zxingcpp
        from PIL import Image

        answer = self.bridge.get("/v1/qrcodelink?device_name=bridge")
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"] == PNG_TYPE
        picture = Image.open(io.BytesIO(answer.content))
        # It sees other kinds of code in the pattern, too, now and then.
        (code,) = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)
        return str(code.text)

    def wait_linked(self) -> None:
        eventually(
            lambda: self.account in self.bridge.get("/v1/accounts").json(), LINK_SECONDS,
            lambda: f"the account; log: {self.bridge.log[-4000:]}",
        )  # fmt: skip

    def somebody_scans(self, uri: str) -> None:
        self.mock.phone("grace").scan(uri)

    def somebody_with_new_keys(self) -> str:
        frank = PhoneFriend(self.mock.phone("frank"), self.account)
        self.send("hello frank", to=frank.number)
        frank.hears_text("hello frank")
        frank.phone.tell("changeIdentity")
        return frank.number

    def somebody_behind_a_challenge(self) -> str:
        self.mock.set(challenged=True)
        return self.friend.number

    def close(self) -> None:
        self.bridge.close()
        self.mock.stop()

    @property
    def logs(self) -> dict[str, str]:
        return {"bridge": self.bridge.log, "mock": self.mock.log}


# -- the sandbox -------------------------------------------------------------------------------


class AccountFriend(Friend):
    """Another account of the sandbox, used through the same bridge."""

    def __init__(self, bridge: Bridge, number: str, account: str) -> None:
        self.number = number
        self._bridge = bridge
        self._account = account
        self._reader = Reader(bridge, number)
        found = bridge.get(f"/v1/contacts/{account}").json()
        self.aci = next(one["uuid"] for one in found if one["number"] == number)

    def say(self, text: str = "", **extras: Any) -> int:
        body: Json = {"number": self.number, "recipients": [self._account], "message": text}
        if group := extras.get("group"):
            body["recipients"] = [rest_id(group)]
        body["base64_attachments"] = [
            f"data:{kind};filename={name};base64,{base64.b64encode(content).decode()}"
            for name, kind, content in extras.get("files", ())
        ]
        if extras.get("quote"):
            timestamp, quoted = extras["quote"]
            body |= {
                "quote_timestamp": timestamp, "quote_author": self.number, "quote_message": quoted,
            }  # fmt: skip
        body["mentions"] = [
            {"start": start, "length": length, "author": author}
            for start, length, author in extras.get("mentions", ())
        ]
        body["text_styles"] = [
            f"{start}:{length}:{style}" for start, length, style in extras.get("styles", ())
        ]
        if extras.get("view_once"):
            body["view_once"] = True
        if target := extras.get("edits"):
            body["edit_timestamp"] = target
        return _timestamp(self._call("POST", "/v2/send", 201, body))

    def react(self, emoji: str, timestamp: int, take_back: bool = False) -> None:
        self._call("DELETE" if take_back else "POST", f"/v1/reactions/{self.number}", 204, {
            "recipient": self._account, "target_author": self.number,
            "timestamp": timestamp, "reaction": emoji,
        })  # fmt: skip

    def delete(self, timestamp: int) -> None:
        body = {"recipient": self._account, "timestamp": timestamp}
        self._call("DELETE", f"/v1/remote-delete/{self.number}", 201, body)

    def type_something(self, stop: bool = False) -> None:
        method, body = ("DELETE" if stop else "PUT"), {"recipient": self._account}
        self._call(method, f"/v1/typing-indicator/{self.number}", 204, body)

    def confirm_reading(self, timestamp: int) -> None:
        body = {"recipient": self._account, "receipt_type": "read", "timestamp": timestamp}
        self._call("POST", f"/v1/receipts/{self.number}", 204, body)

    def hears(self, fits: Fits, seconds: float = HEAR_SECONDS) -> Heard:
        return self._reader.wait_for(fits, seconds)

    def _call(self, method: str, path: str, status: int, body: Json | None) -> Any:
        answer = self._bridge.request(method, path, json=body)
        assert answer.status_code == status, f"{path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def group(self, group: str) -> GroupSeen:
        about = self._call("GET", f"/v1/groups/{self.number}/{rest_id(group)}", 200, None)
        return GroupSeen(
            about["name"],
            about["description"],
            frozenset(about["members"]),
            frozenset(about["admins"]),
            frozenset(about["pending_invites"]),
        )

    def new_group(self, name: str, members: list[Friend]) -> str:
        body = {"name": name, "members": [self._account, *(one.number for one in members)]}
        created = self._call("POST", f"/v1/groups/{self.number}", 201, body)
        return base64.b64decode(created["id"].removeprefix("group.")).decode()

    def rename_group(self, group: str, name: str) -> None:
        path = f"/v1/groups/{self.number}/{rest_id(group)}"
        self._call("PUT", path, 204, {"name": name})


class SandboxWorld(World):
    """Alice is an account of the sandbox from the start; so are Bob and Carol."""

    account = "+12025550100"

    def __init__(self, **settings: object) -> None:
        self.bridge = Bridge(MODE="sandbox", **settings).start().wait_ready()
        self.reader = Reader(self.bridge, self.account)
        self.friend, self.other = (
            AccountFriend(self.bridge, number, self.account)
            for number in ("+12025550101", "+12025550102")
        )

    def somebody_scans(self, uri: str) -> None:
        """The sandbox scans by itself."""

    def somebody_with_new_keys(self) -> str:
        return "+12025550191"

    def somebody_behind_a_challenge(self) -> str:
        return "+12025550192"

    def close(self) -> None:
        self.bridge.close()

    @property
    def logs(self) -> dict[str, str]:
        return {"bridge": self.bridge.log}


def _timestamp(sent: Any) -> int:
    """`/v2/send` answers with one object, or with a list of one for each recipient."""
    return int((sent[0] if isinstance(sent, list) else sent)["timestamp"])


def rest_id(group: str) -> str:
    """How the REST surface names a group."""
    return f"group.{base64.b64encode(group.encode()).decode()}"
