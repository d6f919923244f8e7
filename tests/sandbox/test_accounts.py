"""Which account a call is for, and accounts that come and go."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from signal_bridge.sandbox.linking import MAX_ACCOUNTS
from signal_bridge.sandbox.versions import Version
from tests.sandbox.daemon import ALICE, BOB, CAROL, DAVE, ROBOT, Client, Sandbox

Start = Callable[..., Sandbox]

NO_ACCOUNT = {"code": -32602, "message": "Method requires valid account parameter", "data": None}
UNKNOWN = {"code": -32602, "message": "Specified account does not exist", "data": None}


@pytest.fixture
def fresh(start: Start) -> Client:
    """A connection to a sandbox of its own, for tests that take accounts away."""
    return start("--receive-mode", "manual").connect()


@pytest.fixture(scope="module")
def linked(sandbox: Sandbox) -> str:
    """An account that was linked, with a device named "bridge"."""
    client = sandbox.connect()
    uri = client.result("startLink", account=None)["deviceLinkUri"]
    assert uri.startswith("sgnl://linkdevice?uuid=")
    assert "&pub_key=" in uri
    link = {"deviceLinkUri": uri, "deviceName": "bridge"}
    result = client.result("finishLink", account=None, **link)
    assert list(result) == ["number"]
    again = client.error("finishLink", account=None, **link)
    assert again == {"code": -1, "message": "Unknown device link uri.", "data": None}
    return str(result["number"])


def knows_nobody(knows: Version) -> dict[str, object]:
    """What a registration says that names no account."""
    return {"code": -32602, "message": knows.registers_nobody, "data": None}


def numbers(client: Client) -> list[str]:
    return [entry["number"] for entry in client.result("listAccounts", account=None)]


def test_four_accounts_are_there(fresh: Client) -> None:
    assert numbers(fresh) == [ALICE, BOB, CAROL, DAVE]


def test_there_are_only_so_many_accounts_whoever_asks_for_more(fresh: Client) -> None:
    for number in (f"+120255502{i:02}" for i in range(MAX_ACCOUNTS - 4)):
        fresh.result("register", account=number)
        fresh.result("verify", account=number, verificationCode="123-456")
    assert fresh.error("register", account="+12025550299")["code"] == -5
    uri = fresh.result("startLink", account=None)["deviceLinkUri"]
    refused = fresh.error("finishLink", account=None, deviceLinkUri=uri, deviceName="one more")
    assert refused["message"] == "Link request timed out, please try again."
    assert len(numbers(fresh)) == MAX_ACCOUNTS


def test_with_several_accounts_one_must_be_named(client: Client) -> None:
    assert client.error("listContacts", account=None) == NO_ACCOUNT
    assert client.error("send", account=None, bogus=True) == NO_ACCOUNT


def test_an_account_that_is_not_loaded_is_refused_before_anything_else(client: Client) -> None:
    assert client.error("send", account="+15550001111") == UNKNOWN
    assert client.error("version", account="+15550001111") == UNKNOWN
    assert client.error("subscribeReceive", account="+15550001111") == UNKNOWN
    assert client.result("listAccounts", account="+15550001111")


def test_a_single_account_need_not_be_named(fresh: Client) -> None:
    for number in (BOB, CAROL, DAVE):
        fresh.result("unregister", account=number)
    assert fresh.result("listContacts", account=None) is not None


def test_in_single_account_mode_the_account_parameter_is_not_looked_at(start: Start) -> None:
    client = start(before=("-a", ALICE)).connect()
    assert client.result("listContacts", account=None) is not None
    assert client.result("listContacts", account="+19999999999") is not None
    assert 'Unrecognized field "account"' in client.error("receive")["message"]
    for method in ("listAccounts", "startLink", "finishLink", "register", "verify"):
        assert client.error(method, account=None)["code"] == -32601


def test_linking_adds_an_account(client: Client, sandbox: Sandbox, linked: str) -> None:
    assert linked.startswith("+1202555")
    assert linked in numbers(client)
    on_disk = [entry["number"] for entry in sandbox.accounts_on_disk()["accounts"]]
    assert linked in on_disk
    devices = client.result("listDevices", account=linked)
    assert [(device["id"], device["name"]) for device in devices] == [(1, None), (2, "bridge")]
    assert client.result("send", recipient=[linked], message="welcome")


def test_a_linked_device_is_told_what_its_phone_knows(client: Client, linked: str) -> None:
    client.result("subscribeReceive", account=linked)
    assert client.envelope(linked, "syncMessage")["syncMessage"] == {"type": "CONTACTS_SYNC"}
    client.result("block", account=linked, recipient=DAVE)
    client.result("sendSyncRequest", account=linked)
    told = client.wait_for(lambda params: f"'blockedNumbers': ['{DAVE}'" in str(params))
    assert list(told["result"]["envelope"]["syncMessage"]) == ["blockedNumbers", "blockedGroupIds"]


@pytest.mark.parametrize(
    ("params", "code", "message"),
    [
        ({}, -1, "Missing deviceLinkUri."),
        ({"deviceLinkUri": "::: bad"}, -1, "Invalid device link uri."),
        ({"deviceLinkUri": "sgnl://linkdevice?uuid=x&pub_key=y"}, -1, "Unknown device link uri."),
        (
            {"deviceLinkUri": "x", "foo": 1},
            -32600,
            'Unrecognized field "foo" (class org.asamk.signal.commands.FinishLinkCommand'
            '$FinishLinkParams), not marked as ignorable (2 known properties: "deviceName", '
            '"deviceLinkUri"])\n at [Source: UNKNOWN] (through reference '
            'chain: org.asamk.signal.commands.FinishLinkCommand$FinishLinkParams["foo"])',
        ),
    ],
)
def test_finish_link_refuses_what_it_does_not_understand(
    client: Client, params: dict[str, object], code: int, message: str
) -> None:
    error = client.error("finishLink", account=None, **params)
    assert (error["code"], error["message"]) == (code, message)


def test_registration_accepts_any_code(client: Client, sandbox: Sandbox) -> None:
    number = "+491700000001"
    assert client.result("register", account=number) == {}
    assert number not in numbers(client)
    assert client.result("verify", account=number, verificationCode="123-456") == {}
    assert numbers(client)[-1] == number
    assert client.result("send", account=number, recipient=[ALICE], message="hello")
    assert sandbox.accounts_on_disk()["accounts"][-1]["number"] == number


def test_registration_refuses_what_signal_refuses(client: Client, knows: Version) -> None:
    captcha = client.error("register", account="+12025550180")
    assert captcha["message"].startswith("Captcha required for verification, use --captcha CAPTCHA")
    assert captcha["code"] == -1
    assert client.error("register", account="+12025550180", captcha="wrong") == {
        "code": -1, "message": "Invalid captcha given.", "data": None,
    }  # fmt: skip
    assert client.result("register", account="+12025550180", captcha="signalcaptcha://x") == {}
    limited = client.error("register", account="+12025550181")
    assert limited["code"] == -5
    assert limited["message"].startswith("Rate limit reached\nNext attempt may be tried at 17")
    taken = client.error("register", account=ROBOT)
    assert taken["message"] == "Failed to register: Account is already registered"
    assert client.error("register", account="hello")["code"] == -1
    assert client.error("register", account=None) == knows_nobody(knows)
    unknown = client.error("register", account="+491700000002", foo=1)["message"]
    assert '(3 known properties: "voice", "reregister", "captcha"])' in unknown


def test_verification_refuses_what_signal_refuses(client: Client, knows: Version) -> None:
    number, locked = "+491700000003", "+12025550182"
    unasked = client.error("verify", account=number, verificationCode="1")
    assert unasked["code"] == knows.unasked_verification
    client.result("register", account=number)
    wrong = client.error("verify", account=number, verificationCode="000-000")
    assert (wrong["code"], wrong["message"]) == (-3, "Verify error: StatusCode: 403")
    missing = client.error("verify", account=number)
    assert (missing["code"], missing["message"]) == (-32603, '"verificationCode" is missing')
    client.result("register", account=locked)
    text = client.error("verify", account=locked, verificationCode="1")["message"]
    assert text.startswith("Verification failed! This number is locked with a pin.")
    text = client.error("verify", account=locked, verificationCode="1", pin="9")["message"]
    assert text == "Verification failed! Invalid pin, tries remaining: 3"
    assert client.result("verify", account=locked, verificationCode="1", pin="1234") == {}


def test_an_unregistered_account_disappears_without_a_word(fresh: Client) -> None:
    fresh.result("subscribeReceive", account=None)
    group = fresh.result("updateGroup", name="g", member=[BOB, CAROL])["groupId"]
    assert fresh.result("unregister", account=BOB, deleteAccount=True) == {}
    assert BOB not in numbers(fresh)
    assert fresh.error("listGroups", account=BOB) == UNKNOWN
    sent = fresh.error("send", recipient=[BOB], message="are you there?")
    assert sent["data"]["response"]["results"][0]["type"] == "UNREGISTERED_FAILURE"
    results = fresh.result("send", groupId=group, message="and you?")["results"]
    assert [entry["type"] for entry in results] == ["UNREGISTERED_FAILURE", "SUCCESS"]
    assert fresh.result("register", account=BOB) == {}


def test_local_data_of_a_registered_account_cannot_be_deleted(fresh: Client) -> None:
    fresh.result("unregister", account=BOB)
    assert fresh.result("deleteLocalAccountData", account=BOB) == {}
    still = fresh.error("deleteLocalAccountData", account=ROBOT)
    assert still["message"].startswith("Not deleting account, it is still registered.")
    assert fresh.result("deleteLocalAccountData", account=ROBOT, ignoreRegistered=True) == {}


def test_a_linked_device_may_not_do_what_only_the_phone_does(
    client: Client, linked: str, knows: Version
) -> None:
    refusal = {"code": -1, "message": "This command doesn't work on linked devices.", "data": None}
    assert client.error("setPin", account=linked, pin="1") == refusal
    assert client.error("removePin", account=linked) == refusal
    assert client.error("addDevice", account=linked, uri="sgnl://linkdevice") == refusal
    assert client.error("removeDevice", account=linked, deviceId=2) == refusal
    assert client.error("startChangeNumber", account=linked, number="+491700") == refusal
    if "updateDevice" not in knows.lacks:
        renamed = client.error("updateDevice", account=linked, deviceId=2, deviceName="x")
        assert renamed == refusal


def test_an_account_changes_its_number_and_stays_who_it_is(fresh: Client, start: Start) -> None:
    fresh.result("subscribeReceive", account=None)
    (before,) = fresh.result("getUserStatus", recipient=BOB)
    new = "+491700000009"
    assert fresh.result("startChangeNumber", account=BOB, number=new) == {}
    changed = {"number": new, "verificationCode": "123-456"}
    assert fresh.result("finishChangeNumber", account=BOB, **changed) == {}
    assert BOB not in numbers(fresh)
    assert new in numbers(fresh)
    (after,) = fresh.result("getUserStatus", recipient=new)
    assert after["uuid"] == before["uuid"]
    sent = fresh.result("send", recipient=[new], message="hello")["timestamp"]
    assert fresh.data_message(new, sent)["message"] == "hello"
    answer = fresh.result("send", account=new, recipient=[ALICE], message="x")["timestamp"]
    assert fresh.envelope(ALICE, "dataMessage", answer)["sourceNumber"] == new


def test_changing_a_number_is_refused_as_signal_refuses(client: Client) -> None:
    start, finish = "startChangeNumber", "finishChangeNumber"
    number = "+491700000010"
    captcha = client.error(start, number="+12025550180")
    assert captcha["message"].startswith("Captcha required for verification")
    assert client.error(start, number="+12025550181")["code"] == -5
    assert client.error(start, number="hello")["code"] == -1
    assert client.error(start)["code"] == -32603
    unasked = client.error(finish, number=number, verificationCode="1")
    text = "Failed to change number: No change number verification session active"
    assert unasked == {"code": -3, "message": text, "data": None}
    client.result(start, number=number)
    wrong = client.error(finish, number=number, verificationCode="000-000")
    assert (wrong["code"], wrong["message"]) == (-3, "Failed to change number: StatusCode: 403")
    assert client.error(finish, number=number)["code"] == -32603
    client.result(start, number=BOB)
    assert client.error(finish, number=BOB, verificationCode="1")["code"] == -3
    client.result(start, number="+12025550182")
    locked = client.error(finish, number="+12025550182", verificationCode="1")
    assert locked["message"].startswith("Verification failed! This number is locked with a pin.")


def test_the_only_account_of_a_daemon_may_change_its_number(start: Start) -> None:
    sandbox = start(before=("-a", ALICE))
    client = sandbox.connect()
    client.result("startChangeNumber", account=None, number="+491700000011")
    changed = {"number": "+491700000011", "verificationCode": "1"}
    client.result("finishChangeNumber", account=None, **changed)
    assert client.result("listContacts", account=None)
    on_disk = sandbox.accounts_on_disk()["accounts"]
    assert [entry["number"] for entry in on_disk] == ["+491700000011"]
