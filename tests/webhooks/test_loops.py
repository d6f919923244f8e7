"""A webhook does not call the bridge whose webhook it is, whichever way it takes."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import re
import socket
import socketserver
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from signal_bridge.delivery.webhooks.addresses import Rules
from signal_bridge.delivery.webhooks.connecting import CheckedAdapter
from signal_bridge.delivery.webhooks.ownaddresses import is_own
from signal_bridge.delivery.webhooks.webhook import HOP_HEADER, checked_url
from signal_bridge.errors import WebhookLoop
from tests.journeys import http
from tests.support import Bridge, eventually
from tests.support.parts import part_missing
from tests.webhooks.receiver import Receiver, status

ACCOUNT, OTHER = "+12025550100", "+12025550101"
HOOKS = f"/v1/webhooks/{ACCOUNT}"
HOP = f"{HOP_HEADER}: 1"
ITSELF = "it is this bridge, calling itself"


@pytest.fixture(scope="module")
def bridge() -> Iterator[Bridge]:
    """Whatever the operator allows, a webhook may not call the bridge itself."""
    with Bridge(
        MODE="sandbox",
        BRIDGE_HOST="0.0.0.0",
        BRIDGE_WEBHOOK_ALLOW="0.0.0.0/0,::/0",
        BRIDGE_WEBHOOK_RETRY_SECONDS="0.2,3600",
    ) as bridge:
        yield bridge.wait_ready()


class Forwarder:
    """A port of its own that leads to the bridge's, as behind a mapping or a proxy."""

    def __init__(self, port: int) -> None:
        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with socket.create_connection(("127.0.0.1", port)) as there:
                    back = threading.Thread(target=pipe, args=(there, self.request), daemon=True)
                    back.start()
                    pipe(self.request, there)
                    back.join(20)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def pipe(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)


@pytest.fixture
def mapped(bridge: Bridge) -> Iterator[Forwarder]:
    forwarder = Forwarder(bridge.port)
    yield forwarder
    forwarder.close()


def register(bridge: Bridge, url: str, **fields: Any) -> str:
    """The path of a webhook with this URL."""
    answer = bridge.post(HOOKS, json={"url": url, "types": ["message"], **fields})
    assert answer.status_code in (200, 201), answer.text
    return f"{HOOKS}/{answer.json()['id']}"


def machine_address() -> str | None:
    """The address that the network knows this machine by, if there is a network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect(("203.0.113.1", 9))  # nothing is sent
        except OSError:
            return None
        return str(asking.getsockname()[0])


# -- the listening addresses -------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.9.8.7", "::1", "0.0.0.0", "::", "::ffff:127.0.0.1", "::127.0.0.1",
     "64:ff9b::7f00:1", "2002:7f00:1::"],
)  # fmt: skip
def test_these_are_any_machines_own(address: str) -> None:
    assert is_own(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["203.0.113.1", "8.8.8.8", "2001:db8::2", "::ffff:8.8.8.8"])
def test_these_are_others(address: str) -> None:
    assert not is_own(ipaddress.ip_address(address))


def test_an_address_of_an_interface_is_its_own() -> None:
    if (address := machine_address()) is None:
        part_missing("this machine has no network")
    assert is_own(ipaddress.ip_address(address))
    assert is_own(ipaddress.ip_address(f"::ffff:{address}"))


@pytest.mark.parametrize(
    ("url", "port"),
    [("http://127.0.0.1:8080/", 8080), ("http://[::1]:8080", 8080), ("http://127.0.0.1", 80),
     ("https://127.0.0.1", 443), ("http://[::ffff:7f00:1]:8080/", 8080)],
)  # fmt: skip
def test_its_own_url_is_refused_at_the_door(url: str, port: int) -> None:
    with pytest.raises(WebhookLoop, match="calling itself"):
        checked_url(url, Rules(own_port=port))
    assert checked_url(url, Rules(own_port=port + 1)) == url
    assert checked_url(url, Rules()) == url


@pytest.mark.parametrize(
    "host", ["localhost", "127.1", "2130706433", "0x7f.1", "0", "[::ffff:127.0.0.1]"]
)
def test_whatever_it_is_called_by_no_connection_is_made(host: str, receiver: Receiver) -> None:
    session = requests.Session()
    session.trust_env = False
    allow = tuple(ipaddress.ip_network(one) for one in ("0.0.0.0/0", "::/0"))
    session.mount("http://", CheckedAdapter(Rules(allow=allow, own_port=receiver.port)))
    with pytest.raises(requests.ConnectionError, match=ITSELF):
        session.post(f"http://{host}:{receiver.port}/hook", data=b"{}", timeout=10)
    assert receiver.open == set()


def test_no_webhook_is_made_with_the_bridges_own_url(bridge: Bridge) -> None:
    path = register(bridge, "http://127.0.0.1:9/")
    hosts = ["127.0.0.1", "[::1]", "0.0.0.0", "127.255.0.1", machine_address() or "127.0.0.1"]
    for host in hosts:
        url = f"http://{host}:{bridge.port}/v2/send"
        answers = [bridge.post(HOOKS, json={"url": url}), bridge.put(path, json={"url": url})]
        assert [answer.status_code for answer in answers] == [508, 508], host
        assert {answer.json()["code"] for answer in answers} == {"webhook_loop"}
    bridge.delete(path)


@pytest.mark.parametrize("target", ["/v2/send", "/v1/link", f"{HOOKS}/{{}}/test", "/nothing"])
@pytest.mark.parametrize("host", ["localhost", "127.1", socket.gethostname()])
def test_a_trial_does_not_reach_the_bridge_itself(bridge: Bridge, host: str, target: str) -> None:
    path = register(bridge, "http://127.0.0.1:9/own")
    target = target.format(path.rpartition("/")[2])
    url = f"http://{host}:{bridge.port}{target}"
    assert bridge.put(path, json={"url": url}).status_code == 200
    tried = bridge.post(f"{path}/test").json()
    assert tried["status"] == 0
    assert ITSELF in tried["error"] or "cannot be resolved" in tried["error"]
    bridge.delete(path)


def test_the_port_that_was_taken_is_known() -> None:
    """PORT=0: by a worker, which tries a webhook, and by the daemon, which delivers."""
    bridge = Bridge(MODE="sandbox", PORT="0", BRIDGE_WEBHOOK_RETRY_SECONDS="3600")
    with contextlib.closing(bridge.start()):
        said = eventually(lambda: re.search(r"listening on http://\S+:(\d+)", bridge.log), 30)
        bridge.port = int(said[1])
        bridge.url = f"http://127.0.0.1:{bridge.port}"
        bridge.wait_ready()
        assert bridge.post(HOOKS, json={"url": f"{bridge.url}/v2/send"}).status_code == 508
        path = register(bridge, f"http://localhost:{bridge.port}/v2/send")
        assert ITSELF in bridge.post(f"{path}/test").json()["error"]
        body = {"number": OTHER, "recipients": [ACCOUNT], "message": "hello"}
        assert bridge.post("/v2/send", json=body).status_code == 201
        [tried] = eventually(lambda: bridge.get(f"{path}/attempts").json())
        assert tried["status"] == 0
        assert ITSELF in tried["error"]
        assert bridge.get(path).json()["next_attempt_at"], "as with any receiver that fails"


# -- the field of what a webhook sends ---------------------------------------------------------


@pytest.mark.parametrize(
    "request_line",
    ["GET /livez", "HEAD /livez", "GET /v1/about", "POST /v2/send", "OPTIONS /v2/send",
     "GET /nothing", "POST /nothing", "DELETE /v2/send", "POST /api/v1/rpc", "GET /api/v1/events",
     f"GET /v1/receive/{ACCOUNT}", f"POST {HOOKS}/wh_1/test"],
)  # fmt: skip
def test_what_a_webhook_sends_is_refused_on_every_route(bridge: Bridge, request_line: str) -> None:
    answer, body = http.exchange(bridge, http.head(*request_line.split(" "), HOP))
    assert answer == 508
    assert request_line.startswith("HEAD") or json.loads(body)["code"] == "webhook_loop"


def test_no_stream_is_opened_for_a_webhook(bridge: Bridge) -> None:
    upgrade = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
               "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", HOP)  # fmt: skip
    request = "\r\n".join((f"GET /v1/receive/{ACCOUNT} HTTP/1.1", "Host: x", *upgrade, "", ""))
    with http.connect(bridge) as connection:
        connection.sendall(request.encode())
        assert connection.recv(65536).startswith(b"HTTP/1.1 508 ")


def test_the_body_that_a_webhook_sends_is_not_waited_for(bridge: Bridge) -> None:
    for length in ("Content-Length: 100000000", "Transfer-Encoding: chunked"):
        with http.connect(bridge) as connection:
            # more than the worker waits for before anybody looks at the request
            connection.sendall(http.head("POST", "/v2/send", HOP.lower(), length))
            connection.sendall(b"10001\r\n" + bytes(0x10001) + b"\r\n")
            assert connection.recv(65536).startswith(b"HTTP/1.1 508 ")


@pytest.mark.parametrize("target", ["/v2/send", f"{HOOKS}/{{}}/test", "/nothing"])
def test_a_trial_through_a_proxy_ends_at_the_bridge(
    bridge: Bridge, mapped: Forwarder, target: str
) -> None:
    path = register(bridge, "http://127.0.0.1:9/mapped")
    target = target.format(path.rpartition("/")[2])
    assert bridge.put(path, json={"url": mapped.url + target}).status_code == 200
    assert bridge.post(f"{path}/test").json()["status"] == 508
    bridge.delete(path)


def test_two_webhooks_do_not_try_each_other(bridge: Bridge, mapped: Forwarder) -> None:
    paths = [register(bridge, f"http://127.0.0.1:9/{one}") for one in range(2)]
    for path, other in (paths, reversed(paths)):
        assert bridge.put(path, json={"url": f"{mapped.url}{other}/test"}).status_code == 200
    assert [bridge.post(f"{path}/test").json()["status"] for path in paths] == [508, 508]
    for path in paths:
        bridge.delete(path)


def test_an_event_through_a_proxy_ends_at_the_bridge(bridge: Bridge, mapped: Forwarder) -> None:
    """It is tried again as the schedule says: no event follows from it, and no storm."""
    path = register(bridge, f"{mapped.url}/v2/send", types=["*"])
    body = {"number": OTHER, "recipients": [ACCOUNT], "message": "hello"}
    assert bridge.post("/v2/send", json=body).status_code == 201
    eventually(lambda: len(bridge.get(f"{path}/attempts").json()) == 2)
    attempts = bridge.get(f"{path}/attempts").json()
    assert [(one["status"], one["attempt"]) for one in attempts] == [(508, 2), (508, 1)]
    bridge.delete(path)


def test_a_redirect_to_the_bridge_is_not_followed(bridge: Bridge, receiver: Receiver) -> None:
    receiver.answers = [status(307, Location=f"http://localhost:{bridge.port}/v1/link")]
    path = register(bridge, receiver.url)
    assert bridge.post(f"{path}/test").json()["status"] == 307
    bridge.delete(path)


@pytest.mark.parametrize("name", [HOP_HEADER, HOP_HEADER.lower(), HOP_HEADER.upper()])
def test_no_webhook_has_a_field_of_that_name_itself(bridge: Bridge, name: str) -> None:
    fields = {"url": "http://127.0.0.1:9/", "headers": {name: "0"}}
    assert bridge.post(HOOKS, json=fields).status_code == 400
    connection = {"url": "http://127.0.0.1:9/", "headers": {"Connection": HOP_HEADER}}
    assert bridge.post(HOOKS, json=connection).status_code == 400
