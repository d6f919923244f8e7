"""The real signal-cli 0.13.19 as a child of the real bridge, and the sandbox beside it, as both
versions that it can be: what is compared here did not change from one to the other.

No account is registered and nothing reaches Signal. `make signal-cli` installs what is needed.
"""

from __future__ import annotations

import json
import os
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from signal_bridge.sandbox.methods import METHODS
from signal_bridge.sandbox.versions import NEW, OLD, VERSIONS
from tests.conftest import ROOT
from tests.support import Bridge, Process, eventually
from tests.support.parts import part_missing

pytestmark = pytest.mark.live

STRANGER = "+4915112345"
SECONDS = 20.0
Json = dict[str, Any]


def bridge_on(program: Path, **settings: object) -> Bridge:
    return Bridge(MODE="normal", BRIDGE_SIGNAL_CLI=program, **settings)


def installed() -> Path:
    """As the fixture `signal_cli`, for fixtures of a wider scope."""
    found = Path(os.environ.get("BRIDGE_SIGNAL_CLI") or ROOT / ".signal-cli/bin/signal-cli")
    if not found.is_file():
        part_missing(f"there is no {found}: make signal-cli")
    return found


@pytest.fixture(scope="module")
def real() -> Iterator[Bridge]:
    with bridge_on(installed(), JAVA_OPTS="-Dbridge.test=seen -Xmx96m") as bridge:
        yield bridge.wait_ready()


@pytest.fixture(scope="module", params=VERSIONS)
def sandboxed(request: pytest.FixtureRequest) -> Iterator[Bridge]:
    with Bridge(MODE="sandbox", BRIDGE_SANDBOX_FLAGS=f"--as {request.param}") as bridge:
        yield bridge.wait_ready()


def version_of(bridge: Bridge) -> str:
    return str(bridge.get("/v1/about").json()["signal-cli"])


def jvm_of(bridge: Bridge) -> Process:
    return bridge.child("org.asamk.signal.Main", "daemon")


def send(bridge: Bridge) -> requests.Response:
    body = {"number": STRANGER, "recipients": ["+4915198765"], "message": "hi"}
    return bridge.post("/v2/send", json=body)


# -- what the bridge makes of it ---------------------------------------------------------------


def test_it_is_ready_and_names_its_version(real: Bridge) -> None:
    assert real.get("/readyz").status_code == 200
    assert real.get("/v1/health").status_code == 204
    about = real.get("/v1/about").json()
    assert about["signal-cli"] == "0.13.19"
    assert "sandbox" not in about
    assert real.get("/v1/accounts").json() == []


def test_an_unknown_account_cannot_send(real: Bridge) -> None:
    answer = send(real)
    assert answer.status_code == 400
    assert answer.json()["error"] == "Specified account does not exist"


def test_linking_without_a_network_fails_with_the_reason(real: Bridge) -> None:
    answer = real.get("/v1/qrcodelink?device_name=x")
    assert answer.status_code == 400
    assert re.match(r"Couldn't create QR code: .*\w", answer.json()["error"])
    # The bridge itself tried at start, since there is no account, and said so.
    eventually(lambda: "linking failed" in real.log)


def test_java_opts_reach_the_jvm_after_the_bridges_own(real: Bridge) -> None:
    command = jvm_of(real).command
    assert "-Dbridge.test=seen" in command
    assert command.index("-Xmx128m") < command.index("-Xmx96m")
    assert "--receive-mode manual" in command


def test_many_requests_at_once_are_all_answered(real: Bridge) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: send(real), range(200)))
    assert {answer.status_code for answer in answers} == {400}
    assert {answer.json()["error"] for answer in answers} == {"Specified account does not exist"}


def test_a_killed_jvm_comes_back_by_itself(real: Bridge) -> None:
    before = jvm_of(real)
    statuses: list[int] = []
    before.kill()
    after = eventually(lambda: (now := jvm_of(real)) != before and now, 30)

    def answers_again() -> bool:
        answer = send(real)
        statuses.append(answer.status_code)
        assert answer.json()["error"]
        return answer.status_code == 400

    eventually(answers_again, 60)
    real.wait_ready()
    assert after.is_alive()
    # It waited, or was told that it is away.
    assert set(statuses) <= {400, 502, 503}
    assert real.get("/v1/accounts").json() == []


def test_a_start_that_is_stopped_leaves_no_jvm(signal_cli: Path) -> None:
    with bridge_on(signal_cli) as bridge:
        jvm_of(bridge)
        bridge.stop()


def test_a_bad_java_option_ends_the_bridge_with_the_words_of_the_jvm(signal_cli: Path) -> None:
    bridge = bridge_on(signal_cli, JAVA_OPTS="-XX:+NoSuchOption")
    try:
        bridge.start()
        assert bridge.wait_exit(30) == 2
        assert "Unrecognized VM option 'NoSuchOption'" in bridge.log
        assert "Traceback" not in bridge.log
    finally:
        bridge.close()


# -- the sandbox speaks as the real one does ---------------------------------------------------


def ask(bridge: Bridge, line: bytes) -> Any:
    """One line to the daemon's own socket, and the line it answers; None if it hangs up."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(SECONDS)
        connection.connect(str(bridge.config_dir / "bridge" / "signal-cli.sock"))
        connection.sendall(line + b"\n")
        with connection.makefile("rb") as lines:
            answer = lines.readline()
    return json.loads(answer) if answer else None


def request(method: str, **params: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "method": method, "params": params, "id": 1}).encode()


# signal-cli.rst 1.3 and 1.6
WRONG = {
    "an empty line": b"",
    "white space": b"  \t ",
    "no JSON": b"hello",
    "a number": b"42",
    "a text": b'"x"',
    "null": b"null",
    "true": b"true",
    "an empty batch": b"[]",
    "an empty object": b"{}",
    "another version": b'{"jsonrpc":"1.0","method":"version","id":3}',
    "no version": b'{"method":"version","id":3}',
    "no method": b'{"jsonrpc":"2.0","id":3}',
    "an unknown method": b'{"jsonrpc":"2.0","method":"nope","id":3}',
    "a method of the command line": b'{"jsonrpc":"2.0","method":"daemon","id":3}',
    "a number as a method": b'{"jsonrpc":"2.0","method":5,"id":3}',
    "an unknown key": b'{"jsonrpc":"2.0","method":"version","foo":1,"id":2}',
    "params that are a number": b'{"jsonrpc":"2.0","method":"version","params":5,"id":2}',
    "params that are an array": b'{"jsonrpc":"2.0","method":"listContacts","params":[],"id":2}',
    "an object as an id": b'{"jsonrpc":"2.0","method":"version","id":{"a":1}}',
    "a text as an id": b'{"jsonrpc":"2.0","method":"version","id":"abc"}',
    "a fraction as an id": b'{"jsonrpc":"2.0","method":"version","id":1.50}',
    "null as an id": b'{"jsonrpc":"2.0","method":"version","id":null}',
    "params null": b'{"jsonrpc":"2.0","method":"version","params":null,"id":2}',
    "something after the value": b'{"jsonrpc":"2.0","method":"version","id":9} xyz {',
    "an unknown account": request("send", account=STRANGER, recipient=["+491"], message="x"),
    "an unknown account and a bad parameter": request("send", account=STRANGER, foo=1),
    "an account that is a number": request("listContacts", account=4915112345),
    "a version for an unknown account": request("version", account=STRANGER),
    "a subscription for an unknown account": request("subscribeReceive", account=STRANGER),
    "an unknown subscription": request("unsubscribeReceive", subscription=99),
    "no subscription": request("unsubscribeReceive"),
    "a link with an account": request("finishLink", account=STRANGER, deviceLinkUri="x"),
    "a link without a URI": request("finishLink"),
    "a link with a bad URI": request("finishLink", deviceLinkUri="no URI"),
    "a link with an unknown URI": request("finishLink", deviceLinkUri="sgnl://linkdevice?uuid=a"),
    "a batch": b'[{"jsonrpc":"2.0","method":"nope","id":2}]',
    "nonsense in a batch": b"[1]",
    "not UTF-8": b'{"jsonrpc":"2.0","method":"\xff\xfe","id":1}',
    "too deep": b"[" * 1001 + b"]" * 1001,
    "too many digits": b'{"jsonrpc":"2.0","method":"version","id":' + b"1" * 1001 + b"}",
}

# Only where there is no account at all, as here in the real one.
WITHOUT_ACCOUNT = {
    "no account": request("send", recipient=["+491"], message="x"),
    "an account that is null": request("send", account=None, recipient=["+491"], message="x"),
}


def as_of_any_version(answer: Any) -> Any:
    """Without what differs: where in its buffer Jackson stood, and the version's number."""
    text = json.dumps(answer).replace(NEW.number, OLD.number)
    return json.loads(re.sub(r"\[Source: [^\]]*?\]", "[Source]", text))


@pytest.mark.parametrize("line", WRONG.values(), ids=WRONG)
def test_the_sandbox_refuses_in_the_words_of_the_real_one(
    real: Bridge, sandboxed: Bridge, line: bytes
) -> None:
    assert as_of_any_version(ask(sandboxed, line)) == as_of_any_version(ask(real, line))


@pytest.mark.parametrize("method", sorted(set(METHODS) - OLD.lacks))
def test_what_the_sandbox_knows_as_0_13_the_real_one_knows(real: Bridge, method: str) -> None:
    answer = ask(real, request(method))
    assert answer.get("error", {}).get("code") != -32601


NEWER = [request(method, account=STRANGER) for method in sorted(OLD.lacks)]


@pytest.mark.parametrize("line", NEWER)
def test_what_the_sandbox_does_not_know_as_0_13_the_real_one_does_not_know(
    real: Bridge, sandboxed: Bridge, line: bytes
) -> None:
    answer = ask(real, line)
    assert answer["error"]["message"] == "Method not implemented"
    assert (ask(sandboxed, line) == answer) == (version_of(sandboxed) == OLD.number)


@pytest.mark.parametrize("line", [b'{"jsonrpc":"2.0","method":"version"', b"["])
def test_both_call_a_line_that_is_cut_off_a_parse_error(
    real: Bridge, sandboxed: Bridge, line: bytes
) -> None:
    for bridge in (real, sandboxed):
        answer = ask(bridge, line)
        assert (answer["error"]["code"], answer["id"]) == (-32700, None)
        assert answer["error"]["message"].startswith("Unexpected end-of-input")


@pytest.mark.parametrize("line", WITHOUT_ACCOUNT.values(), ids=WITHOUT_ACCOUNT)
def test_both_want_an_account(real: Bridge, sandboxed: Bridge, line: bytes) -> None:
    for bridge in (real, sandboxed):
        answer = ask(bridge, line)
        assert answer["error"]["code"] == -32602
        assert answer["error"]["message"] == "Method requires valid account parameter"


SILENT = [
    b'{"jsonrpc":"2.0","method":"version"}',
    b'{"jsonrpc":"2.0","method":"nope"}',
    b'{"jsonrpc":"2.0","result":{},"id":1}',
    b'{"jsonrpc":"2.0","error":{},"id":1}',
    b'[{"jsonrpc":"2.0","method":"version"}]',
]


@pytest.mark.parametrize("silent", SILENT)
def test_both_are_silent_where_no_reply_is_due(
    real: Bridge, sandboxed: Bridge, silent: bytes
) -> None:
    for bridge in (real, sandboxed):
        answer = ask(bridge, silent + b"\n" + request("version"))
        assert answer == {"jsonrpc": "2.0", "result": {"version": version_of(bridge)}, "id": 1}


def test_a_clean_stop_leaves_no_jvm(real: Bridge) -> None:
    """The last one here: it ends the bridge that all have used."""
    jvm = jvm_of(real)
    real.stop()
    assert not jvm.is_alive()
