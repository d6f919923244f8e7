"""The real signal-cli at the bridge; telephones of the mock service are the friends."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from tests.e2e import bare, heard, parts
from tests.e2e.heard import Heard, Json
from tests.e2e.mock import MockService, Phone
from tests.e2e.world import HEAR_SECONDS, Fits, Friend, GroupSeen, Reader, World
from tests.support import Bridge, eventually

LINK_SECONDS = 60.0
PNG_TYPE = "image/png"


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
            MODE="normal", BRIDGE_SIGNAL_CLI=bare.without_media_types(parts.signal_cli(), home),
            JAVA_OPTS=self.mock.java_opts, **bare.ENVIRONMENT, **settings,
        )  # fmt: skip
        self.reader = Reader(self.bridge, self.account)
        self.bridge.start().wait_ready()

    def link(self) -> None:
        """As users do it: show the picture, scan it, done."""
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
