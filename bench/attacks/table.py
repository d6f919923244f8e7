"""Every attack, one line each: its name, how many connections it takes, what each of them does."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.attacks.crowd import HOSTILE_ADDRESS
from bench.attacks.script import Script, always, head, part, ping, request, websocket
from bench.clients import HttpClient
from bench.daemon import account

# Where it is about connections; elsewhere each one costs enough.
MANY: Final = 500
ANN, CAROL, DAVE = account(0), account(2), account(3)  # the honest client reads account(1)

_MIB: Final = 2**20
_LARGE_ANSWER_BYTES: Final = 30_000_000
_FORM: Final = "multipart/form-data; boundary=b"


@dataclass(frozen=True)
class Target:
    """A bridge on this machine, and where signal-cli's data is."""

    port: int
    data_dir: Path

    def ask(self, method: str, path: str, content: object = None) -> tuple[int, bytes]:
        client = HttpClient(self.port)
        try:
            return client.ask(method, path, b"" if content is None else _json(content))
        finally:
            client.close()


@dataclass(frozen=True)
class Attack:
    """`script` prepares what the attack needs, and may do so again for the same bridge."""

    name: str
    connections: int
    script: Callable[[Target], Script]
    source: str = HOSTILE_ADDRESS


def _json(content: object) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()


# -- heads -----------------------------------------------------------------------------------------


def _half_heads(_target: Target) -> Script:
    return Script(always(b"GET /livez HTTP/1.1\r\nHost: bench\r\nX-Slow: a"))


def _dripped_heads(_target: Target) -> Script:
    return Script(always(b"GET /livez HTTP/1.1\r\nHost: bench\r\nX-Slow: "), drip=b"a")


def _second_heads(_target: Target) -> Script:
    return Script(always(head("GET", "/livez") + b"POST /v2/send HTTP/1.1\r\nHost: be"))


def _silent(_target: Target) -> Script:
    return Script(always(b""), lives_seconds=4.0, rest_seconds=0.1)


def _idle(_target: Target) -> Script:
    return Script(always(head("GET", "/livez")))


# -- bodies ----------------------------------------------------------------------------------------


def _slow_bodies(_target: Target) -> Script:
    opening = head("POST", "/v2/send", "Content-Type: application/json", "Content-Length: 100000")
    return Script(always(opening + b"{"), drip=b" ", drip_seconds=8.0)


def _slow_chunks(_target: Target) -> Script:
    fields = ("Content-Type: application/json", "Transfer-Encoding: chunked")
    opening = head("POST", "/v2/send", *fields) + b"1\r\n{\r\n"
    return Script(always(opening), drip=b"1\r\n \r\n", drip_seconds=8.0)


def _slow_uploads(_target: Target) -> Script:
    fields = (f"Content-Type: {_FORM}", "Content-Length: 50000000")
    opening = head("POST", "/v2/send", *fields) + part("attachment", b"z" * 100_000, "f")
    return Script(always(opening), drip=b"z", drip_seconds=3.0)


def _empty_objects(_target: Target) -> Script:
    body = b'{"message":[' + b"{}," * (30 * _MIB // 3) + b"0]}"
    return Script(always(request("POST", "/v2/send", body)), rest_seconds=1.0)


def _batches(_target: Target) -> Script:
    calls = [{"jsonrpc": "2.0", "method": "version", "id": number} for number in range(60_000)]
    return Script(always(request("POST", "/api/v1/rpc", _json(calls))), rest_seconds=1.0)


def _long_messages(_target: Target) -> Script:
    body = _json({"number": ANN, "recipients": [CAROL], "message": "x" * 21_000_000})
    return Script(always(request("POST", "/v2/send", body)), rest_seconds=1.0)


def _forms(_target: Target) -> Script:
    """Each of another kind, in turn."""
    bodies = (
        part("a", b"x\r\n", "f") * 5000 + b"--b--\r\n",
        part("a", b"\r" * 10_000_000, "f"),
        b"--b\r\nX: " + b"y" * 10_000_000,
        part("message", b"z" * 10_000_000 + b"\r\n") + b"--b--\r\n",
        b"q" * 10_000_000,
    )
    openings = [request("POST", "/v2/send", body, _FORM) for body in bodies]
    return Script(lambda number: openings[number % len(openings)], rest_seconds=1.0)


# -- answers ---------------------------------------------------------------------------------------


def _slow_readers(target: Target) -> Script:
    """Of a file that takes no room on the disk."""
    (target.data_dir / "attachments").mkdir(exist_ok=True)
    with (target.data_dir / "attachments" / "large.bin").open("wb") as file:
        file.truncate(_LARGE_ANSWER_BYTES)
    return _reads_little(head("GET", "/v1/attachments/large.bin"))


def _pipelines(_target: Target) -> Script:
    return _reads_little(head("GET", "/openapi.json") * 20)


def _reads_little(opening: bytes) -> Script:
    return Script(always(opening), takes_bytes=1, takes_seconds=10.0, receive_buffer_bytes=2048)


# -- waiting ---------------------------------------------------------------------------------------


def _event_streams(_target: Target) -> Script:
    return _reads_little(head("GET", f"/v1/receive/{CAROL}", "Accept: text/event-stream"))


def _websockets(_target: Target) -> Script:
    return _reads_little(websocket(f"/v1/receive/{CAROL}"))


def _pings(_target: Target) -> Script:
    opening = websocket(f"/v1/receive/{CAROL}?backlog=false")
    return Script(always(opening), drip=ping(b"p" * 100) * 50, drip_seconds=0.5)


def _long_polls(_target: Target) -> Script:
    return Script(always(head("GET", f"/v1/receive/{DAVE}?timeout=300")))


# -- what stays ------------------------------------------------------------------------------------


def _strangers(_target: Target) -> Script:
    """Rows of accounts that do not exist, each of another kind."""

    def opening(number: int) -> bytes:
        stranger = f"%2B4915{number:08d}"
        hook = _json({"webhook": f"http://127.0.0.1:9/{number}"})
        mode = _json({"trust_mode": "always"})
        kinds = (
            request("GET", f"/v1/receive/{stranger}?timeout=0", b""),
            request("GET", f"/v1/events?consumer=c{number}&account={stranger}&timeout=0", b""),
            request("POST", "/v1/events/ack", _json({"consumer": f"a{number}", "seq": 2**62})),
            request("POST", f"/v1/configuration/{stranger}/settings", mode),
            request("POST", f"/v1/webhooks/{stranger}", hook),
            request("GET", f"/v1/events?types={'x' * 7000}{number}&timeout=0", b""),
        )
        return kinds[number % len(kinds)]

    return Script(opening, rest_seconds=0.2)


def _links(_target: Target) -> Script:
    body = _json({"device_name": "bench"})
    return Script(always(request("POST", "/v1/link", body)), rest_seconds=1.0)


def _own_webhook(target: Target) -> Script:
    """Its URL is its own `/test`; where that is refused, the old URL is tried."""
    path = f"/v1/webhooks/{DAVE}"
    _status, listed = target.ask("GET", path)
    known = [one["id"] for one in json.loads(listed)]
    if not known:
        _status, made = target.ask("POST", path, {"webhook": "http://127.0.0.1:9/"})
        known = [json.loads(made)["id"]]
    own = f"{path}/{known[0]}"
    target.ask("PUT", own, {"url": f"http://127.0.0.1:{target.port}{own}/test"})
    return Script(always(request("POST", f"{own}/test", b"")), rest_seconds=1.0)


# -- connections -----------------------------------------------------------------------------------


def _churn(_target: Target) -> Script:
    return Script(always(head("GET", "/livez")), lives_seconds=0.05, rest_seconds=0.5)


def _resets(_target: Target) -> Script:
    body = head("POST", "/v2/send", "Content-Length: 5000", "Content-Type: application/json")
    openings = (b"", b"GET /li", body + b"{", head("GET", "/openapi.json"))
    return Script(
        lambda number: openings[number % len(openings)],
        lives_seconds=0.05, rest_seconds=0.5, ends_with_reset=True,
    )  # fmt: skip


def _probes(_target: Target) -> Script:
    """A hundred a second in all."""
    asked = head("GET", "/readyz")
    return Script(always(asked), drip=asked, drip_seconds=MANY / 100)


ATTACKS: Final = (
    Attack("half heads", MANY, _half_heads),
    Attack("half heads of the honest client's address", MANY, _half_heads, "127.0.0.1"),
    Attack("heads of a byte a second", MANY, _dripped_heads),
    Attack("half heads after a first request", MANY, _second_heads),
    Attack("silent connections in waves", MANY, _silent),
    Attack("idle connections", MANY, _idle),
    Attack("bodies of a byte in 8 s", MANY, _slow_bodies),
    Attack("chunks of a byte in 8 s", MANY, _slow_chunks),
    Attack("uploads of a byte in 3 s", MANY, _slow_uploads),
    Attack("readers of a byte in 10 s", MANY, _slow_readers),
    Attack("pipelines that nobody reads", MANY, _pipelines),
    Attack("server-sent events that nobody reads", MANY, _event_streams),
    Attack("WebSockets that nobody reads", MANY, _websockets),
    Attack("pings, 2,000 a second", 20, _pings),
    Attack("long polls", MANY, _long_polls),
    Attack("30 MiB of empty objects", 4, _empty_objects),
    Attack("RPC batches of 60,000", 4, _batches),
    Attack("messages of 21 million characters", 4, _long_messages),
    Attack("multipart bombs", 4, _forms),
    Attack("a webhook to its own test", 20, _own_webhook),
    Attack("rows of strangers", 20, _strangers),
    Attack("links", 20, _links),
    Attack("connections that come and go", 100, _churn),
    Attack("connections that are reset", 100, _resets),
    Attack("/readyz, 100 a second", MANY, _probes),
)


def named(name: str) -> Attack:
    """Raises KeyError for one that is not there."""
    return {attack.name: attack for attack in ATTACKS}[name]
