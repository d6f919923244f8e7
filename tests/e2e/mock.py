"""The mock of the Signal service as a process, and the telephones in it."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

from tests.e2e import parts
from tests.support import eventually

MAIN = Path(__file__).parent / "mock/main.mjs"
CONTROL_SECONDS = 30.0
# What the agent has to know; a line each, `name=value`.
FOR_AGENT = (
    "service", "directory", "trustRoot", "serverParams", "genericParams", "backupParams",
)  # fmt: skip


class MockService:
    """A Signal service on loopback. It ends when this process does: its standard input closes."""

    def __init__(self, home: Path) -> None:
        self.phones: list[Phone] = []
        self.log_path = home / "mock.log"
        self._log = self.log_path.open("ab")
        self.process = subprocess.Popen(
            [parts.program("node"), MAIN],
            env=os.environ | {"NODE_PATH": str(parts.node_modules())},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log,
        )  # fmt: skip
        assert self.process.stdout
        first = self.process.stdout.readline()
        assert first, f"the mock did not start:\n{self.log}"
        about = json.loads(first)
        self.control = str(about["control"])
        self._for_agent = home / "redirect.properties"
        self._for_agent.write_text("".join(f"{name}={about[name]}\n" for name in FOR_AGENT))

    @property
    def java_opts(self) -> str:
        """What makes a signal-cli use this service and no other."""
        return f"-javaagent:{parts.agent()}={self._for_agent}"

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def phone(self, name: str, contacts: tuple[str, ...] = ()) -> Phone:
        """A new telephone with an account; its owner knows those named in `contacts`."""
        phone = Phone(self, self.tell("/phones", name=name, contacts=contacts))
        self.phones.append(phone)
        return phone

    def set(self, **switches: bool) -> None:
        """`challenged`: sends are answered with 428. `captchaRequired`: to register."""
        self.tell("/service", **switches)

    def tell(self, path: str, **members: Any) -> Any:
        answer = requests.post(self.control + path, json=members, timeout=CONTROL_SECONDS)
        assert answer.ok, f"{path}: {answer.text}"
        return answer.json()

    def stop(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(CONTROL_SECONDS)
        self._log.close()


class Phone:
    """A telephone: `phone.send(number, dataMessage={"body": "hello"})`."""

    def __init__(self, service: MockService, about: dict[str, str]) -> None:
        self._service = service
        self.name = about["name"]
        self.number = about["number"]
        self.aci = about["aci"]
        self.pni = about["pni"]

    def number_of(self, address: str) -> str:
        """Of a service id (ACI or PNI) of some phone's account; or the id itself."""
        phones = self._service.phones
        return next((one.number for one in phones if address in (one.aci, one.pni)), address)

    def address_of(self, number: str) -> str:
        return next(one.aci for one in self._service.phones if one.number == number)

    def tell(self, command: str, **members: Any) -> Any:
        return self._service.tell(f"/phones/{self.name}/{command}", **members)

    def scan(self, uri: str) -> None:
        self.tell("scan", uri=uri)

    def send(self, to: str, sealed: bool = False, **content: Any) -> int:
        """`content` is a Content of the protocol in JSON. Gives the message's timestamp."""
        return int(self.tell("send", to=to, sealed=sealed, content=content)["timestamp"])

    def send_to_group(self, group: str, **content: Any) -> int:
        return int(self.tell("send", group=group, content=content)["timestamp"])

    def type_something(self, to: str, action: str) -> None:
        # The receiver refuses a typing message whose time is not the envelope's.
        now = time.time_ns() // 1_000_000
        content = {"typingMessage": {"timestamp": now, "action": action}}
        self.tell("send", to=to, timestamp=now, content=content)

    def sync_sent(self, to_address: str, text: str) -> None:
        """Tells its own linked devices that it sent this text to somebody."""
        now = time.time_ns() // 1_000_000
        message = {"body": text, "timestamp": now}
        sent = {"destinationServiceId": to_address, "timestamp": now, "message": message}
        self.tell("send", to=self.number, timestamp=now, content={"syncMessage": {"sent": sent}})

    def in_groups(self, command: str, **members: Any) -> Any:
        return self.tell(f"groups/{command}", **members)

    def upload(self, data: bytes, content_type: str, file_name: str) -> dict[str, Any]:
        """What a message carries of an attachment."""
        encoded = base64.b64encode(data).decode()
        pointer = self.tell("upload", data=encoded, contentType=content_type, fileName=file_name)
        return dict(pointer)

    def download(self, pointer: dict[str, Any]) -> bytes:
        return base64.b64decode(self.tell("download", pointer=pointer)["data"])

    def received(self, after: int = 0) -> list[dict[str, Any]]:
        return list(self.tell("list", after=after))

    def wait_for(
        self, fits: Callable[[dict[str, Any]], Any], seconds: float = 20.0
    ) -> dict[str, Any]:
        """The first message received that `fits`."""
        return eventually(
            lambda: next((message for message in self.received() if fits(message)), None),
            seconds,
            lambda: f"a message among what {self.name} received: {self.received()}",
        )

    def wait_for_text(self, text: str, seconds: float = 20.0) -> dict[str, Any]:
        return self.wait_for(lambda message: data_message(message).get("body") == text, seconds)


def data_message(received: dict[str, Any]) -> dict[str, Any]:
    return dict(received["content"].get("dataMessage") or {})
