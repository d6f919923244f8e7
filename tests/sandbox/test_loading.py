"""Accounts that cannot be loaded, a network that is not there, a version that is refused."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from signal_bridge.sandbox.versions import Version
from tests.sandbox.conftest import only_new
from tests.sandbox.daemon import ALICE, BOB, CAROL, DAVE, SECONDS, Client, Sandbox, wait_until
from tests.sandbox.shapes import aci

Start = Callable[..., Sandbox]

UNKNOWN = {"code": -32602, "message": "Specified account does not exist", "data": None}


def numbers(client: Client) -> list[str]:
    return [entry["number"] for entry in client.result("listAccounts", account=None)]


def exit_code(sandbox: Sandbox) -> int:
    code = sandbox.process.wait(SECONDS)
    wait_until(lambda: sandbox.text)
    return code


def test_an_account_that_cannot_be_loaded_ends_0_13_and_not_0_14(
    start: Start, knows: Version
) -> None:
    sandbox = start(before=("--unloadable", DAVE))
    if knows.unloaded_exit:
        assert exit_code(sandbox) == 2
        assert sandbox.text.endswith("Failed to load account file\n")
    else:
        client = sandbox.connect()
        assert numbers(client) == [ALICE, BOB, CAROL]
        assert client.error("listContacts", account=DAVE) == UNKNOWN
        on_disk = [entry["number"] for entry in sandbox.accounts_on_disk()["accounts"]]
        assert DAVE in on_disk
    why = f"Error while checking account {DAVE}: Closed unexpectedly (AccountCheckException)"
    assert f"ERROR MultiAccountManager - Failed to load {DAVE}: {why}" in sandbox.text


def test_without_a_network_no_account_can_be_loaded(start: Start, knows: Version) -> None:
    sandbox = start(before=("--offline-for", "60"))
    if knows.unloaded_exit:
        assert exit_code(sandbox) == 2
        return
    client = sandbox.connect()
    assert numbers(client) == []
    link = client.error("startLink", account=None)
    assert (link["code"], link["message"]) == (-3, "Link request error: Connection closed!")
    registration = client.error("register", account="+491700000001")
    assert registration["code"] == -3
    assert registration["message"].startswith("Failed to register: ")


def test_a_single_account_that_cannot_be_loaded_ends_both(start: Start) -> None:
    sandbox = start(before=("-a", ALICE, "--unloadable", ALICE))
    assert exit_code(sandbox) == 3
    text = f"Error while checking account {ALICE}: Closed unexpectedly\n"
    assert sandbox.text.endswith(text)


def test_a_version_that_signal_refuses_says_that_it_is_too_old(
    start: Start, knows: Version
) -> None:
    sandbox = start(before=("--outdated",))
    assert exit_code(sandbox) == knows.outdated_exit[0]
    why = "signal-cli version is too old for the Signal-Server, please update. ({})"
    assert f"Failed to load {ALICE}: {why.format(knows.outdated_error)}" in sandbox.text
    assert sandbox.text.endswith(f"{knows.outdated_exit[1]}\n")


def test_a_single_account_of_a_refused_version_ends_with_the_reason(start: Start) -> None:
    sandbox = start(before=("-a", ALICE, "--outdated"))
    assert exit_code(sandbox) == 2
    assert "signal-cli version is too old for the Signal-Server" in sandbox.text


@only_new
def test_an_account_is_loaded_at_its_first_use_and_is_heard_by_the_next_subscription(
    start: Start,
) -> None:
    sandbox = start("--receive-mode", "manual", before=("--unloadable", f"{BOB}=0.5"))
    client = sandbox.connect()
    client.result("subscribeReceive", account=None)
    assert BOB not in numbers(client)
    sent = client.result("send", recipient=[BOB], message="are you there?")["timestamp"]
    assert client.result("listContacts", account=BOB)
    assert BOB in numbers(client)
    last = client.result("send", recipient=[ALICE], message="last", notifySelf=True)["timestamp"]
    client.data_message(ALICE, last)
    assert "'are you there?'" not in str(client.notifications)
    client.result("subscribeReceive", account=None)
    assert client.data_message(BOB, sent)["message"] == "are you there?"


@only_new
def test_the_automatic_modes_do_not_hear_of_an_account_that_is_loaded_late(start: Start) -> None:
    sandbox = start("--receive-mode", "on-start", before=("--unloadable", f"{BOB}=0.5"))
    client = sandbox.connect()
    assert client.result("listContacts", account=aci(BOB))
    sent = client.result("send", recipient=[BOB], message="kept")["timestamp"]
    last = client.result("send", recipient=[CAROL], message="last")["timestamp"]
    client.data_message(CAROL, last)
    assert "'kept'" not in str(client.notifications)
    sandbox.connect().data_message(BOB, sent)


@only_new
def test_a_look_up_that_loads_holds_all_others(start: Start) -> None:
    sandbox = start(before=("--unloadable", DAVE, "-v"))
    client = sandbox.connect()

    def ask(number: int, method: str, **params: str) -> None:
        request = {"jsonrpc": "2.0", "method": method, "params": params, "id": number}
        client.write(json.dumps(request) + "\n")

    ask(1, "listContacts", account=DAVE)
    wait_until(lambda: f"Looking for {DAVE}" in sandbox.text)
    ask(2, "listContacts", account=ALICE)
    ask(3, "listAccounts")
    assert client.read_reply()["id"] == 1
    assert {client.read_reply()["id"], client.read_reply()["id"]} == {2, 3}


@only_new
def test_each_look_up_of_an_account_that_is_not_there_fills_the_log(start: Start) -> None:
    sandbox = start(before=("--unloadable", DAVE))
    client = sandbox.connect()
    for number in (DAVE, "+15550001111"):
        assert client.error("listContacts", account=number) == UNKNOWN
        line = f"WARN  MultiAccountManagerImpl - Failed to load manager by number: {number}\n"
        wait_until(lambda line=line: line in sandbox.log)
    wait_until(lambda: sum(each.startswith("\tat org.asamk.signal.") for each in sandbox.log) == 30)


@only_new
def test_an_account_that_cannot_be_loaded_cannot_be_registered(start: Start) -> None:
    client = start(before=("--unloadable", DAVE)).connect()
    error = client.error("register", account=DAVE, reregister=True)
    text = "Failed to load the given account"
    assert error == {"code": -32602, "message": text, "data": None}


@only_new
@pytest.mark.parametrize("number", [ALICE, DAVE])
def test_a_network_that_comes_back_lets_accounts_be_loaded(start: Start, number: str) -> None:
    client = start(before=("--offline-for", "0.5")).connect()
    assert numbers(client) == []
    assert client.result("listContacts", account=number)
    assert numbers(client) == [number]
