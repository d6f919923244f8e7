"""Subscriptions and receive modes: who gets which message, in which form, and who does not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from signal_bridge.sandbox.versions import Version
from tests.sandbox.conftest import only_new
from tests.sandbox.daemon import ALICE, BOB, CAROL, ROBOT, Client, Sandbox, payload, wait_until

Start = Callable[..., Sandbox]


def say(client: Client, text: str, to: str = BOB) -> int:
    return int(client.result("send", recipient=[to], message=text)["timestamp"])


def texts(client: Client, account: str, last: str) -> list[str]:
    """What an account got, up to the text `last`."""
    client.wait_for(lambda params: f"'{last}'" in str(params))
    envelopes = [payload(each) for each in client.notifications]
    mine = [each["envelope"] for each in envelopes if each["account"] == account]
    return [each["dataMessage"]["message"] for each in mine if "dataMessage" in each]


def test_an_explicit_subscription_wraps_what_it_brings(client: Client) -> None:
    subscription = client.result("subscribeReceive", account=None)
    sent = say(client, "wrapped")
    params = client.wait_for(lambda params: "'wrapped'" in str(params))
    assert list(params) == ["subscription", "result"]
    assert params["subscription"] == subscription
    assert list(params["result"]) == ["envelope", "account"]
    assert params["result"]["envelope"]["timestamp"] == sent


def test_an_automatic_subscription_brings_the_bare_form_and_uses_up_an_id(start: Start) -> None:
    client = start().connect()
    say(client, "hi")
    params = client.wait_for(lambda params: "'hi'" in str(params))
    assert list(params) == ["envelope", "account"]
    assert client.result("subscribeReceive", account=None) == 1


def test_every_connection_gets_a_copy_and_one_with_two_subscriptions_gets_two(
    start: Start,
) -> None:
    sandbox = start()
    first, second = sandbox.connect(), sandbox.connect()
    second.result("subscribeReceive", account=BOB)
    say(first, "copied")
    first.wait_for(lambda params: "'copied'" in str(params))
    second.wait_for(lambda params: "subscription" in params and "'copied'" in str(params))
    second.wait_for(lambda params: "subscription" not in params and "'copied'" in str(params))


def test_a_subscription_may_be_for_one_account(client: Client) -> None:
    client.result("subscribeReceive", account=CAROL)
    say(client, "not for you", to=BOB)
    say(client, "for you", to=CAROL)
    client.wait_for(lambda params: "'for you'" in str(params))
    assert {payload(params)["account"] for params in client.notifications} == {CAROL}


def test_messages_of_one_account_come_in_order(client: Client) -> None:
    client.result("subscribeReceive", account=None)
    sent = [f"number {number}" for number in range(50)]
    for text in sent:
        say(client, text)
    assert [text for text in texts(client, BOB, sent[-1]) if text in sent] == sent


def test_manual_without_a_subscription_keeps_messages_for_the_next(start: Start) -> None:
    sandbox = start("--receive-mode", "manual")
    client = sandbox.connect()
    first = say(client, "one")
    say(client, "two")
    client.result("subscribeReceive", account=None)
    assert texts(client, BOB, "two") == ["one", "two"]
    envelope = client.envelope(BOB, "dataMessage", first)
    assert envelope["serverReceivedTimestamp"] <= envelope["serverDeliveredTimestamp"]


def test_manual_keeps_messages_while_the_subscriber_is_away(start: Start) -> None:
    sandbox = start("--receive-mode", "manual")
    gone, client = sandbox.connect(), sandbox.connect()
    gone.result("subscribeReceive", account=BOB)
    say(client, "seen")
    gone.wait_for(lambda params: "'seen'" in str(params))
    assert gone.result("unsubscribeReceive", account=None, subscription=0) == {}
    say(client, "kept")
    client.result("subscribeReceive", account=BOB)
    assert texts(client, BOB, "kept") == ["kept"]


def test_manual_keeps_messages_when_the_only_subscriber_hung_up(start: Start) -> None:
    sandbox = start("--receive-mode", "manual")
    gone, client = sandbox.connect(), sandbox.connect()
    gone.result("subscribeReceive", account=BOB)
    gone.close()
    wait_until(lambda: "Connection 0 closed" in sandbox.text)
    say(client, "kept")
    client.result("subscribeReceive", account=BOB)
    assert texts(client, BOB, "kept") == ["kept"]


def test_on_connection_keeps_messages_until_somebody_connects(start: Start) -> None:
    sandbox = start("--receive-mode", "on-connection")
    client = sandbox.connect()
    client.write(
        '{"jsonrpc":"2.0","method":"send","params":{"account":"+12025550100",'
        '"recipient":"+12025550123","message":"echo me"}}\n'
    )
    client.close()
    sandbox.clients.remove(client)
    late = sandbox.connect()
    assert texts(late, ALICE, "echo me") == ["echo me"]


def test_on_start_loses_what_nobody_listens_to(start: Start) -> None:
    client = start("--receive-mode", "on-start").connect()
    client.result("unsubscribeReceive", account=None, subscription=0)
    say(client, "lost")
    client.result("subscribeReceive", account=None)
    say(client, "found")
    assert texts(client, BOB, "found") == ["found"]


def test_a_message_is_confirmed_to_its_sender_when_it_is_taken(start: Start) -> None:
    client = start("--receive-mode", "manual").connect()
    client.result("subscribeReceive", account=ALICE)
    untaken = say(client, "nobody takes it", to=BOB)
    confirmed = say(client, "the robot does", to=ROBOT)
    client.envelope(ALICE, "dataMessage")
    receipts = [
        payload(each)["envelope"]["receiptMessage"]["timestamps"]
        for each in client.notifications
        if "receiptMessage" in payload(each)["envelope"]
    ]
    assert [untaken] not in receipts
    client.wait_for(lambda params: str([confirmed]) in str(params))
    client.result("subscribeReceive", account=BOB)
    client.wait_for(lambda params: str([untaken]) in str(params))


def test_read_receipts_come_if_the_daemon_is_told_to_send_them(start: Start) -> None:
    client = start("--send-read-receipts").connect()
    sent = say(client, "read me")
    receipt = client.wait_for(lambda params: "'isRead': True" in str(params))
    assert receipt["envelope"]["receiptMessage"]["timestamps"] == [sent]


def test_only_the_connection_that_subscribed_can_unsubscribe(sandbox: Sandbox) -> None:
    mine, other = sandbox.connect(), sandbox.connect()
    number = mine.result("subscribeReceive", account=None)
    unknown = {"code": -1, "message": "Unknown subscription id", "data": None}
    error = other.error("unsubscribeReceive", account=None, subscription=number)
    assert error == unknown
    reply = mine.ask(
        f'{{"jsonrpc":"2.0","method":"unsubscribeReceive","params":[{number}],"id":1}}'
    )
    assert reply["result"] == {}
    assert mine.error("unsubscribeReceive", account=None, subscription=number) == unknown


def test_unsubscribing_needs_an_id(client: Client) -> None:
    missing = client.ask('{"jsonrpc":"2.0","method":"unsubscribeReceive","id":1}')
    text = "Missing subscription parameter with subscription id"
    assert missing["error"] == {"code": -1, "message": text, "data": None}
    error = client.error("unsubscribeReceive", account=ALICE)
    assert error["code"] == -32603
    assert error["message"].endswith("is null (NullPointerException)")


def test_an_account_that_comes_later_is_in_the_automatic_subscriptions(
    start: Start, knows: Version
) -> None:
    client = start().connect()
    number = "+491700000001"
    client.result("register", account=number)
    client.result("verify", account=number, verificationCode="1")
    say(client, "welcome", to=number)
    client.wait_for(lambda params: "'welcome'" in str(params) and "subscription" not in params)
    if knows.extends_subscriptions:
        client.wait_for(lambda params: "'welcome'" in str(params) and "subscription" in params)


@only_new
def test_an_account_that_comes_later_is_in_explicit_subscriptions(client: Client) -> None:
    client.result("subscribeReceive", account=None)
    number = "+491700000003"
    client.result("register", account=number)
    client.result("verify", account=number, verificationCode="1")
    say(client, "welcome", to=number)
    client.wait_for(lambda params: "'welcome'" in str(params))


@pytest.mark.parametrize("version", ["0.13.19"], indirect=True)
def test_an_account_that_comes_later_is_not_in_an_explicit_subscription(client: Client) -> None:
    client.result("subscribeReceive", account=None)
    number = "+491700000002"
    client.result("register", account=number)
    client.result("verify", account=number, verificationCode="1")
    say(client, "not yet", to=number)
    say(client, "to bob", to=BOB)
    client.wait_for(lambda params: "'to bob'" in str(params))
    assert all(payload(each)["account"] != number for each in client.notifications)
    client.result("subscribeReceive", account=number)
    client.wait_for(lambda params: "'not yet'" in str(params))


def test_the_receive_method_returns_what_waits(start: Start) -> None:
    client = start("--receive-mode", "manual").connect()
    for text in ("one", "two", "three"):
        say(client, text)
    received = client.result("receive", account=BOB, maxMessages=2)
    assert [each["envelope"]["dataMessage"]["message"] for each in received] == ["one", "two"]
    assert list(received[0]) == ["envelope", "account"]
    received = client.result("receive", account=BOB, timeout=0)
    assert [each["envelope"]["dataMessage"]["message"] for each in received] == ["three"]
    assert client.result("receive", account=BOB, timeout=0.05) == []


def test_the_receive_method_is_refused_while_messages_are_received(start: Start) -> None:
    client = start("--receive-mode", "manual").connect()
    client.result("subscribeReceive", account=BOB)
    text = "Receive command cannot be used if messages are already being received."
    assert client.error("receive", account=BOB) == {"code": -1, "message": text, "data": None}
    assert client.result("receive", account=CAROL, timeout=0) == []
    unknown = client.error("receive", account=CAROL, ignoreAttachments=True)
    assert '(2 known properties: "maxMessages", "timeout"])' in unknown["message"]


def test_a_blocked_sender_is_not_heard(subscriber: Client) -> None:
    assert subscriber.result("block", account=BOB, recipient=[ALICE]) == {}
    say(subscriber, "unheard")
    subscriber.result("unblock", account=BOB, recipient=[ALICE])
    say(subscriber, "heard")
    assert "unheard" not in texts(subscriber, BOB, "heard")
