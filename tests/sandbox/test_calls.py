"""Telephone calls: what both sides are told, and how they end."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.sandbox.conftest import only_new
from tests.sandbox.daemon import ALICE, BOB, CAROL, ROBOT, Client, Json, Sandbox
from tests.sandbox.shapes import ENVELOPE, aci

pytestmark = only_new

CALL = [
    "callId", "state", "inputDeviceName", "outputDeviceName", "codec", "sampleRate", "channels",
    "ptimeMs",
]  # fmt: skip
LISTED = [
    "callId", "state", "number", "uuid", "isOutgoing", "inputDeviceName", "outputDeviceName",
]  # fmt: skip


@pytest.fixture
def listener(subscriber: Client) -> Client:
    """A connection that gets messages and hears of calls."""
    subscriber.result("subscribeCallEvents", account=None)
    return subscriber


@pytest.fixture(autouse=True)
def nobody_calls_afterwards(sandbox: Sandbox) -> Iterator[None]:
    yield
    client = sandbox.connect()
    for account in (ALICE, BOB, CAROL):
        for call in client.result("listCalls", account=account):
            client.call("hangupCall", account=account, callId=call["callId"])


def message(client: Client, account: str, kind: str, call_id: int) -> Json:
    """What a `callMessage` about this call says to an account."""
    unsigned = call_id % 2**64

    def fits(params: Json) -> bool:
        result = params.get("result", params)
        envelope = result.get("envelope", {})
        body = envelope.get("callMessage", {}).get(kind, {})
        return result.get("account") == account and body.get("id") == unsigned

    envelope = client.wait_for(fits)["result"]["envelope"]
    assert list(envelope) == [*ENVELOPE, "callMessage"]
    return dict(envelope["callMessage"][kind])


def ring(client: Client, to: str = BOB) -> int:
    return int(client.result("startCall", recipient=to)["callId"])


def test_a_call_rings_on_both_sides(listener: Client) -> None:
    started = listener.result("startCall", recipient=[BOB])
    assert list(started) == CALL
    assert started["state"] == "RINGING_OUTGOING"
    assert -(2**63) <= started["callId"] < 2**63
    assert (started["codec"], started["inputDeviceName"]) == ("opus", None)
    call_id = started["callId"]
    out = listener.call_event(call_id, "RINGING_OUTGOING", outgoing=True)
    assert out == {
        "callId": call_id, "state": "RINGING_OUTGOING", "number": BOB, "uuid": aci(BOB),
        "isOutgoing": True,
    }  # fmt: skip
    listener.call_event(call_id, "RINGING_INCOMING", outgoing=False)
    offer = message(listener, BOB, "offerMessage", call_id)
    assert list(offer) == ["id", "type", "opaque"]
    assert offer["type"] == "AUDIO_CALL"
    (listed,) = listener.result("listCalls", account=BOB)
    assert list(listed) == LISTED
    assert (listed["number"], listed["state"]) == (ALICE, "RINGING_INCOMING")


def test_a_call_that_is_accepted_connects_both(listener: Client) -> None:
    call_id = ring(listener)
    listener.call_event(call_id, "RINGING_INCOMING", outgoing=False)
    accepted = listener.result("acceptCall", account=BOB, callId=call_id)
    assert (list(accepted), accepted["state"]) == (CALL, "CONNECTING")
    assert list(message(listener, ALICE, "answerMessage", call_id)) == ["id", "opaque"]
    for outgoing in (True, False):
        listener.call_event(call_id, "CONNECTING", outgoing)
        connected = listener.call_event(call_id, "CONNECTED", outgoing)
        assert connected["inputDeviceName"]
    again = listener.error("acceptCall", account=BOB, callId=call_id)
    text = f"Failed to accept call: Call {call_id} is not in RINGING_INCOMING state"
    assert again["code"] == -3
    assert again["message"].startswith(text)


def test_either_side_can_hang_up(listener: Client) -> None:
    call_id = ring(listener)
    listener.call_event(call_id, "RINGING_INCOMING", outgoing=False)
    assert listener.result("hangupCall", callId=call_id % 2**64) == {}
    assert listener.call_event(call_id, "ENDED", outgoing=True)["reason"] == "local_hangup"
    assert listener.call_event(call_id, "ENDED", outgoing=False)["reason"] == "remote_hangup"
    hangup = message(listener, BOB, "hangupMessage", call_id)
    assert (hangup["type"], hangup["deviceId"]) == ("NORMAL", 0)
    assert listener.result("listCalls") == []


def test_a_call_can_be_rejected(listener: Client) -> None:
    call_id = ring(listener)
    listener.call_event(call_id, "RINGING_INCOMING", outgoing=False)
    assert listener.result("rejectCall", account=BOB, callId=call_id) == {}
    assert listener.call_event(call_id, "ENDED", outgoing=False)["reason"] == "rejected"
    assert listener.call_event(call_id, "ENDED", outgoing=True)["reason"] == "remote_busy"
    assert list(message(listener, ALICE, "busyMessage", call_id)) == ["id"]


def test_the_robot_picks_up(listener: Client) -> None:
    call_id = ring(listener, ROBOT)
    listener.call_event(call_id, "CONNECTED", outgoing=True)
    message(listener, ALICE, "answerMessage", call_id)


def test_it_rings_only_where_somebody_listens(subscriber: Client) -> None:
    subscriber.result("subscribeCallEvents", account=ALICE)
    call_id = ring(subscriber)
    message(subscriber, BOB, "offerMessage", call_id)
    assert subscriber.result("listCalls", account=BOB) == []
    error = subscriber.error("acceptCall", account=BOB, callId=call_id)
    text = f"Failed to accept call: No active call with id {call_id % 2**64}"
    assert error == {"code": -3, "message": text, "data": None}


def test_nobody_is_called_who_is_not_registered(client: Client) -> None:
    text = "Recipient not registered: Unregistered user: +15550002222"
    error = client.error("startCall", recipient="+15550002222")
    assert error == {"code": -1, "message": text, "data": None}
    assert client.error("startCall")["message"] == "No recipient given"


@pytest.mark.parametrize(
    ("method", "doing"),
    [("acceptCall", "accept"), ("rejectCall", "reject"), ("hangupCall", "hang up")],
)
def test_a_call_that_is_none_is_refused(client: Client, method: str, doing: str) -> None:
    assert client.error(method) == {"code": -1, "message": "No call ID given", "data": None}
    assert client.error(method, callId="5")["message"] == "No call ID given"
    error = client.error(method, callId=5)
    assert error["message"] == f"Failed to {doing} call: No active call with id 5"


def test_a_subscription_to_calls_ends_when_it_is_told_to(sandbox: Sandbox) -> None:
    mine, other = sandbox.connect(), sandbox.connect()
    number = mine.result("subscribeCallEvents", account=None)
    assert isinstance(number, int)
    error = other.error("unsubscribeCallEvents", account=None, subscription=number)
    assert error["message"] == "Unknown subscription id"
    missing = mine.ask('{"jsonrpc":"2.0","method":"unsubscribeCallEvents","id":1}')["error"]
    text = "Missing subscription parameter with subscription id"
    assert missing == {"code": -1, "message": text, "data": None}
    assert mine.result("unsubscribeCallEvents", account=None, subscription=number) == {}
    ring(mine)
    assert mine.notifications == []


def test_a_subscription_to_calls_extends_to_accounts_that_come_later(
    start: Callable[..., Sandbox],
) -> None:
    client = start("--receive-mode", "manual").connect()
    client.result("subscribeCallEvents", account=None)
    number = "+491700000001"
    client.result("register", account=number)
    client.result("verify", account=number, verificationCode="1")
    call_id = ring(client, number)
    client.call_event(call_id, "RINGING_INCOMING", outgoing=False)
    client.result("startChangeNumber", account=number, number="+491700000002")
    changed = {"number": "+491700000002", "verificationCode": "1"}
    client.result("finishChangeNumber", account=number, **changed)
    client.result("acceptCall", account="+491700000002", callId=call_id)
    client.call_event(call_id, "CONNECTED", outgoing=False)
