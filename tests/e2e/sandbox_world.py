"""The sandbox at the bridge; other accounts of it are the friends."""

from __future__ import annotations

import base64
from typing import Any

from tests.e2e.heard import Heard, Json
from tests.e2e.world import (
    HEAR_SECONDS,
    Fits,
    Friend,
    GroupSeen,
    Reader,
    World,
    rest_id,
    timestamp_of,
)
from tests.support import Bridge


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
        return timestamp_of(self._call("POST", "/v2/send", 201, body))

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
    """Alice is an account of the sandbox from the start; so are Bob and Carol.

    `version` is the signal-cli that the sandbox is to be.
    """

    account = "+12025550100"

    def __init__(self, version: str, **settings: object) -> None:
        flags = f"--as {version}"
        bridge = Bridge(MODE="sandbox", BRIDGE_SANDBOX_FLAGS=flags, **settings)
        self.bridge = bridge.start().wait_ready()
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
