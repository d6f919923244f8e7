"""What people write, and what opens an account, is never in the log, not even at debug."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest

from tests.conftest import ACCOUNT
from tests.journeys import http
from tests.journeys.reading import received_text, texts_until
from tests.support import Bridge, ScriptedDaemon, eventually
from tests.support.scripted_daemon import as_line, drop, error, raw, result, text_envelope
from tests.webhooks.receiver import Receiver, status

ALICE, BOB = "+12025550100", "+12025550101"
ROBOT, UNREGISTERED, CHALLENGED = "+12025550123", "+12025559999", "+12025550192"
STRANGER = "+12025550171"
TEXT = "xylophone-4711"  # in no log, ever
# Of a real one: https://signalcaptchas.org/registration/generate.html
CAPTCHA = "signalcaptcha://signal-hcaptcha.zebra-0815.registration.quagga"
CODE, PIN = "918-273", "4831905726"


@pytest.fixture(scope="module")
def sandboxed() -> Iterator[Bridge]:
    with Bridge(MODE="sandbox", LOG_LEVEL="debug") as bridge:
        yield bridge.wait_ready()


@pytest.fixture(scope="module")
def script() -> Iterator[ScriptedDaemon]:
    with ScriptedDaemon(accounts=[ACCOUNT]) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def scripted(script: ScriptedDaemon) -> Iterator[Bridge]:
    rpc = script.address
    with Bridge(
        MODE="json-rpc", BRIDGE_SIGNAL_CLI_RPC=rpc, LOG_LEVEL="debug", BRIDGE_CALL_TIMEOUT_SECONDS=1
    ) as bridge:
        bridge.wait_ready()
        script.wait_subscribed()
        yield bridge


def check_silent(bridge: Bridge, *secrets: str) -> None:
    """Once everything has been logged: nothing of it, but for the numbers in the banner."""
    mark = f"/mark-{len(bridge.log)}"
    bridge.get("/livez", headers={"X-Request-ID": mark.strip("/")})
    eventually(lambda: mark.strip("/") in bridge.log, what="the log of the last request")
    said = "\n".join(line for line in bridge.log.splitlines() if " Sandbox - " not in line)
    for secret in (TEXT, *secrets):
        assert secret not in said


def test_messages_and_people_are_not_logged(sandboxed: Bridge) -> None:
    for recipient in (BOB, ROBOT, UNREGISTERED, CHALLENGED):
        body = {"number": ALICE, "recipients": [recipient], "message": TEXT}
        assert sandboxed.post("/v2/send", json=body).status_code in (201, 400, 429)
    received_text(sandboxed, BOB, TEXT)
    sandboxed.get(f"/v1/receive/{ALICE}")
    check_silent(sandboxed, ALICE, BOB, ROBOT, UNREGISTERED, CHALLENGED)


def test_attachments_and_their_names_are_not_logged(sandboxed: Bridge) -> None:
    data = base64.b64encode(TEXT.encode()).decode()
    text = f"data:text/plain;filename=okapi-77.txt;base64,{data}"
    body = {"number": ALICE, "recipients": [BOB], "message": "m", "base64_attachments": [text]}
    assert sandboxed.post("/v2/send", json=body).status_code == 201
    form = {"number": ALICE, "recipients[]": BOB, "message": TEXT}
    files = {"attachment": ("okapi-77.txt", TEXT.encode())}
    assert sandboxed.post("/v2/send", data=form, files=files).status_code == 201
    received_text(sandboxed, BOB, TEXT)
    sandboxed.get("/v1/attachments/okapi-77.txt")
    check_silent(sandboxed, data, "okapi-77")


def test_bad_bodies_are_not_logged(sandboxed: Bridge) -> None:
    for data in (
        *(f'{{"message":"{TEXT}"', f'{{"message":["{TEXT}"]}}', TEXT, f'"{TEXT}"'),
        *(f'{{"{TEXT}":1,}}', f'{{"message":"{TEXT}\n"}}', f'{{"recipients":{{"{TEXT}":1}}}}'),
    ):
        assert sandboxed.post("/v2/send", data=data).status_code == 400
    sandboxed.post(f"/v1/webhooks/{BOB}", json={"url": "x", "headers": {TEXT: 1}})
    strange = {"Content-Type": f"application/json; charset={TEXT}", "Content-Encoding": TEXT}
    sandboxed.post("/v2/send", data="{}", headers=strange)
    form = {TEXT: "x", "number": "x", "quote_timestamp": TEXT}
    sandboxed.post("/v2/send", data=form, files={TEXT: (TEXT, b"x")})
    sandboxed.post("/v2/send", data={TEXT: "x" * 2**21}, files={"a": b"x"})
    http.exchange(sandboxed, http.head("GET", f"/v1/{TEXT}"))
    http.exchange(sandboxed, http.head("GET", f"/v1/receive/{BOB}?timeout={TEXT}"))
    http.exchange(sandboxed, f"{TEXT} / HTTP/1.1\r\n\r\n".encode())
    http.exchange(sandboxed, f"GET / HTTP/1.1\r\n{TEXT}\r\n\r\n".encode())
    check_silent(sandboxed)


def test_why_a_request_was_refused_is_logged(sandboxed: Bridge) -> None:
    for request_id, code, ask in (
        ("of-a-body", "bad_request: message: a string belongs here, not a number", {"message": 1}),
        ("of-signal-cli", "unregistered_recipient", {"recipients": [UNREGISTERED]}),
        ("of-a-limit", "rate_limited", {"recipients": [CHALLENGED]}),
    ):
        given = {"number": ALICE, "message": TEXT, **ask}
        sandboxed.post("/v2/send", json=given, headers={"X-Request-ID": request_id})
        eventually(lambda name=request_id: f"{name} POST /v2/send 4" in sandboxed.log)  # type: ignore[misc]
        line = next(one for one in sandboxed.log.splitlines() if f" {request_id} " in one)
        assert line.endswith(f" {code}")
    sandboxed.get("/nothing", headers={"X-Request-ID": "of-no-route"})
    eventually(lambda: "of-no-route GET (no route) 404" in sandboxed.log)
    assert next(one for one in sandboxed.log.splitlines() if "of-no-route" in one).endswith(
        " no_route"
    )
    check_silent(sandboxed)


def test_captchas_codes_and_pins_are_not_logged(sandboxed: Bridge) -> None:
    path = f"/v1/register/{STRANGER}"
    sandboxed.post(path, json={"captcha": CAPTCHA})
    sandboxed.post(f"{path}/verify/000000", json={"pin": PIN})
    sandboxed.post(f"{path}/verify/{CODE}", json={"pin": PIN})
    sandboxed.post(f"/v1/accounts/{STRANGER}/pin", json={"pin": PIN})
    challenge = {"challenge_token": "tapir-31337", "captcha": CAPTCHA}
    sandboxed.post(f"/v1/accounts/{STRANGER}/rate-limit-challenge", json=challenge)
    check_silent(sandboxed, CAPTCHA, "zebra-0815", CODE, "918273", PIN, "tapir-31337", STRANGER)


def test_link_uris_are_not_logged(sandboxed: Bridge) -> None:
    uris = [sandboxed.get("/v1/qrcodelink/raw?device_name=okapi-78").json()["device_link_uri"]]
    accept = {"Accept": "application/json"}
    uris.append(
        sandboxed.get("/v1/qrcodelink?device_name=x", headers=accept).json()["device_link_uri"]
    )
    sandboxed.get("/v1/qrcodelink?device_name=x", headers={"Accept": "text/plain"})
    sandboxed.post(f"/v1/devices/{ALICE}", json={"uri": "sgnl://linkdevice?uuid=gnu-5&pub_key=q"})
    eventually(lambda: sandboxed.log.count("a device was linked") >= 3, 20)
    keys = [uri.partition("pub_key=")[2] for uri in uris]
    check_silent(sandboxed, "sgnl://", "gnu-5", *keys)


def test_what_a_broken_daemon_says_is_not_logged(scripted: Bridge, script: ScriptedDaemon) -> None:
    answers = [
        error(-1, f"Failed to send {TEXT}", {"response": {"text": TEXT}}),
        error(-32603, TEXT),
        raw(f"{TEXT}\n".encode()),
        raw(as_line({"jsonrpc": "2.0", "id": "unknown", "result": TEXT})),
        raw(as_line({"jsonrpc": "2.0", "id": None, "error": {"code": -1, "message": TEXT}})),
        raw(as_line({"jsonrpc": "2.0", "method": TEXT, "params": {"text": TEXT}})),
        result({"timestamp": TEXT}),
        result(TEXT),
        drop,
    ]
    for answer in answers:
        script.on("send", answer)
        body = {"number": ACCOUNT, "recipients": [BOB], "message": TEXT}
        scripted.post("/v2/send", json=body)
    scripted.wait_ready()
    check_silent(scripted, ACCOUNT, BOB)


def test_odd_messages_are_not_logged(scripted: Bridge, script: ScriptedDaemon) -> None:
    connection = script.wait_for("subscribeReceive")[-1].connection
    eventually(lambda: connection.subscribed)
    odd = [TEXT, [TEXT], {"envelope": TEXT}, {"account": TEXT}, {"exception": {"message": TEXT}}]
    for params in odd:
        connection.send({"jsonrpc": "2.0", "method": "receive", "params": params})
    envelope = text_envelope(BOB, TEXT, 1)
    script.notify(ACCOUNT, envelope, envelope)
    script.notify(ACCOUNT, envelope)
    assert texts_until(scripted, ACCOUNT, 1) == [TEXT]
    check_silent(scripted, ACCOUNT, BOB)


def test_what_a_webhook_is_called_with_is_not_logged(sandboxed: Bridge) -> None:
    """By a worker, which tries it, and by the daemon, which delivers; debug set once more."""
    assert sandboxed.post("/v1/configuration", json={"logging": {"Level": "debug"}}).ok
    receiver = Receiver()
    receiver.otherwise = status(422, b"lemur-92 in the answer", Lemur_93="of the head")
    marks = ("lemur-90", "lemur-91", "lemur-92", "Lemur-93", "lemur-94", "lemur-95")
    url = receiver.url.replace("http://", "http://bot:lemur-94@") + "/lemur-90?token=lemur-91"
    headers = {"Authorization": "Bearer lemur-95"}
    made = sandboxed.post(f"/v1/webhooks/{BOB}", json={"url": url, "headers": headers}).json()
    assert sandboxed.post(f"/v1/webhooks/{BOB}/{made['id']}/test").json()["status"] == 422
    body = {"number": ALICE, "recipients": [BOB], "message": TEXT}
    assert sandboxed.post("/v2/send", json=body).status_code == 201
    receiver.wait_for(2)
    eventually(lambda: f"webhook {made['id']}: event" in sandboxed.log)
    sandboxed.delete(f"/v1/webhooks/{BOB}/{made['id']}")
    receiver.close()
    check_silent(sandboxed, made["secret"], *marks)
