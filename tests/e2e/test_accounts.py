"""Accounts come and go: linked, unlinked, registered, several on one daemon."""

from __future__ import annotations

import pytest

from tests.e2e.real_world import PhoneFriend, RealWorld
from tests.e2e.world import Reader
from tests.support import eventually

NEW_NUMBER = "+12025550177"
STRICT_NUMBER = "+12025550178"


def accounts(world: RealWorld) -> list[str]:
    return list(world.bridge.get("/v1/accounts").json())


def state(world: RealWorld, number: str) -> str:
    return str(world.bridge.get(f"/v1/accounts/{number}/status").json().get("state"))


@pytest.fixture(scope="module")
def registered(real: RealWorld) -> str:
    """A second account, that lives at the bridge alone."""
    answer = real.bridge.post(f"/v1/register/{NEW_NUMBER}", json={})
    assert answer.status_code == 201, answer.text
    answer = real.bridge.post(f"/v1/register/{NEW_NUMBER}/verify/123-456")
    assert answer.status_code == 201, answer.text
    eventually(lambda: NEW_NUMBER in accounts(real), 20)
    return NEW_NUMBER


def test_a_linked_device_is_listed_at_the_bridge(real: RealWorld) -> None:
    devices = real.call("GET", "/v1/devices/{}", 200)
    assert [(one["id"], one["name"]) for one in devices] == [(1, ""), (2, "bridge")]


def test_a_number_is_registered_and_verified(real: RealWorld, registered: str) -> None:
    assert set(accounts(real)) == {real.account, registered}
    # Neither on its way into signal-cli's list was taken for an account that is lost.
    assert "has not loaded" not in real.bridge.log


def test_both_accounts_send(real: RealWorld, registered: str) -> None:
    for number in (real.account, registered):
        body = {"number": number, "recipients": [real.friend.number], "message": f"by {number}"}
        answer = real.bridge.post("/v2/send", json=body)
        assert answer.status_code == 201, answer.text
        assert real.friend.hears_text(f"by {number}").sender == number


def test_both_accounts_receive_what_is_theirs(real: RealWorld, registered: str) -> None:
    assert isinstance(real.friend, PhoneFriend)
    reader = Reader(real.bridge, registered)
    real.friend.phone.send(real.account, dataMessage={"body": "to the first"})
    real.friend.phone.send(registered, dataMessage={"body": "to the second"})
    real.hears_text("to the first")
    reader.wait_for(lambda one: one.text == "to the second")
    assert "to the second" not in [one.text for one in real.reader.all()]
    assert "to the first" not in [one.text for one in reader.all()]


def test_the_two_accounts_write_to_each_other(real: RealWorld, registered: str) -> None:
    real.send("from one to the other", to=registered)
    reader = Reader(real.bridge, registered)
    got = reader.wait_for(lambda one: one.text == "from one to the other")
    # By the ACI as long as signal-cli has not shared the number with somebody it has not met.
    assert got.sender in (real.phone.aci, real.account)


def test_a_phone_tells_its_linked_device_what_it_sent(real: RealWorld) -> None:
    real.phone.sync_sent(real.friend.aci, "typed on the phone")

    def told() -> bool:
        syncs = (one["envelope"].get("syncMessage") or {} for one in real.reader.poll())
        return any(
            (one.get("sentMessage") or {}).get("message") == "typed on the phone" for one in syncs
        )

    eventually(told, 20)


def test_a_wrong_code_registers_nobody(real: RealWorld) -> None:
    assert real.bridge.post("/v1/register/+12025550179", json={}).status_code == 201
    answer = real.bridge.post("/v1/register/+12025550179/verify/000-000")
    assert answer.status_code == 400, answer.text
    assert "+12025550179" not in accounts(real)


def test_a_captcha_is_asked_for_before_the_code(real: RealWorld) -> None:
    real.mock.set(captchaRequired=True)
    refused = real.bridge.post(f"/v1/register/{STRICT_NUMBER}", json={})
    assert refused.status_code == 400, refused.text
    assert "aptcha" in refused.json()["error"]
    solved = {"captcha": "signalcaptcha://signal-hcaptcha.solved"}
    answer = real.bridge.post(f"/v1/register/{STRICT_NUMBER}", json=solved)
    assert answer.status_code == 201, answer.text


def test_an_account_is_deleted(real: RealWorld, registered: str) -> None:
    wish = {"delete_account": True, "delete_local_data": True}
    answer = real.bridge.post(f"/v1/unregister/{registered}", json=wish)
    assert answer.status_code == 204, answer.text
    eventually(lambda: registered not in accounts(real), 20)
    body = {"number": real.account, "recipients": [registered], "message": "are you there?"}
    answer = real.bridge.post("/v2/send", json=body)
    assert answer.json()["code"] == "unregistered_recipient", answer.text


def test_what_the_phone_unlinks_is_noticed_and_can_be_linked_again(real: RealWorld) -> None:
    real.phone.tell("unlink", device=2)
    eventually(lambda: state(real, real.account) != "linked", 60, lambda: state(real, real.account))
    body = {"number": real.account, "recipients": [real.friend.number], "message": "still here?"}
    answer = real.bridge.post("/v2/send", json=body)
    assert answer.status_code >= 400, answer.text
    eventually(lambda: state(real, real.account) == "unlinked", 120)
    real.link()
    eventually(lambda: state(real, real.account) == "linked", 60)
    real.send("here again")
    real.friend.hears_text("here again")
    real.friend.say("welcome back")
    real.hears_text("welcome back")
