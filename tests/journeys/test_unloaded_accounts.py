"""An account that signal-cli has not loaded: nobody drops a message for it, and it comes back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.journeys.reading import texts_until
from tests.support import Bridge, eventually
from tests.support.scripted_daemon import result, text_envelope
from tests.support.unloading import UnloadingDaemon

ANN, BOB, FRIEND = "+4915100001", "+4915100002", "+4915198765"
SENT = result({"timestamp": 1})
POKE = "listStickerPacks"
UNKNOWN = {"error": {"code": -32602, "message": "Specified account does not exist", "data": None}}

Start = Callable[..., Bridge]


@pytest.fixture
def daemon() -> Iterator[UnloadingDaemon]:
    with UnloadingDaemon(accounts=[ANN, BOB]) as daemon:
        daemon.on("send", SENT)
        yield daemon
        daemon.go_on.set()


@pytest.fixture
def bridge(start_bridge: Start, daemon: UnloadingDaemon) -> Bridge:
    """A bridge with two workers, which knows both accounts."""
    bridge = start_bridge(
        MODE="json-rpc", BRIDGE_SIGNAL_CLI_RPC=daemon.address, BRIDGE_WORKERS=2
    ).wait_ready()
    eventually(lambda: state_of(bridge, ANN) == state_of(bridge, BOB) == "linked", 20)
    return bridge


def state_of(bridge: Bridge, number: str) -> str:
    answer = bridge.get(f"/v1/accounts/{number}/status")
    return str(answer.json().get("state"))


def send(bridge: Bridge, number: str, **more: Any) -> requests.Response:
    body = {"number": number, "recipients": [FRIEND], "message": "hi"}
    return bridge.post("/v2/send", json=body, **more)


def check_not_loaded(answer: requests.Response) -> None:
    assert answer.status_code == 503, answer.text
    body = answer.json()
    assert (body["code"], body["retryable"]) == ("account_not_loaded", True)
    assert body["outcome"] == "not_sent"
    assert "signal-cli has not loaded it" in body["error"]
    assert int(answer.headers["Retry-After"]) > 0


def went_missing(bridge: Bridge, daemon: UnloadingDaemon, number: str, lazily: bool) -> None:
    """As after a start without a network; returns when every worker knows."""
    daemon.unload(number, lazily)
    eventually(lambda: state_of(bridge, number) == "missing", 20)
    eventually(lambda: {send(bridge, number).status_code for _ in range(10)} == {503}, 20)


@pytest.mark.parametrize("lazily", [True, False], ids=["0.14", "0.13"])
def test_a_send_for_it_is_to_be_tried_again_and_later_succeeds_and_nothing_is_lost(
    bridge: Bridge, daemon: UnloadingDaemon, lazily: bool
) -> None:
    went_missing(bridge, daemon, ANN, lazily)
    daemon.arrives(ANN, text_envelope(FRIEND, "are you there?", 42))
    for _ in range(10):
        check_not_loaded(send(bridge, ANN))
    assert bridge.get("/readyz").status_code == 503
    assert ANN in bridge.get("/readyz").json()["reasons"]["accounts"]
    if lazily:
        daemon.has_network.set()
    else:
        daemon.load(ANN)
    eventually(lambda: send(bridge, ANN).status_code == 201, 30, "a send once it is loaded")
    assert texts_until(bridge, ANN, 1) == ["are you there?"]
    eventually(lambda: bridge.get("/v1/health").status_code == 204, 20)


def test_signal_cli_is_asked_for_it_by_one_cheap_call_at_a_time_and_by_no_other(
    bridge: Bridge, daemon: UnloadingDaemon
) -> None:
    went_missing(bridge, daemon, ANN, lazily=True)
    daemon.wait_for(POKE)
    before = len(daemon.uses_of(ANN))
    for _ in range(50):
        check_not_loaded(send(bridge, ANN))
    asked = daemon.uses_of(ANN)[before:]
    assert len(asked) < 5
    assert set(asked) <= {POKE}


def test_while_it_is_being_loaded_the_bridge_answers_for_it_at_once(
    bridge: Bridge, daemon: UnloadingDaemon
) -> None:
    """signal-cli answers nothing about accounts meanwhile, not even which it has."""
    daemon.go_on.clear()
    went_missing(bridge, daemon, ANN, lazily=True)
    assert daemon.held.wait(30)
    for _ in range(20):
        check_not_loaded(send(bridge, ANN, timeout=10))
    assert daemon.uses_of(ANN).count(POKE) == 1
    daemon.has_network.set()
    daemon.go_on.set()
    eventually(lambda: send(bridge, ANN).status_code == 201, 30)


def test_calls_of_other_accounts_wait_for_no_longer_than_signal_cli_does(
    bridge: Bridge, daemon: UnloadingDaemon
) -> None:
    daemon.go_on.clear()
    went_missing(bridge, daemon, ANN, lazily=True)
    assert daemon.held.wait(30)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(send, bridge, BOB)
        eventually(lambda: "send" in daemon.uses_of(BOB), 10, "it has been handed to signal-cli")
        daemon.go_on.set()
        assert waiting.result().status_code == 201
    for _ in range(20):
        assert send(bridge, BOB).status_code == 201


ROUTES = [
    ("GET", "/v1/groups/{}", None),
    ("POST", "/v1/groups/{}", {"name": "x"}),
    ("GET", "/v1/contacts/{}", None),
    ("POST", "/v1/contacts/{}/sync", None),
    ("PUT", "/v1/contacts/{}", {"recipient": FRIEND, "name": "x"}),
    ("GET", "/v1/profiles/{}", None),
    ("PUT", "/v1/profiles/{}", {"name": "x"}),
    ("GET", "/v1/identities/{}", None),
    ("PUT", f"/v1/identities/{{}}/trust/{FRIEND}", {"trust_all_known_keys": True}),
    ("GET", "/v1/devices/{}", None),
    ("GET", "/v1/sticker-packs/{}", None),
    ("GET", f"/v1/search/{{}}?numbers={FRIEND}", None),
    ("PUT", "/v1/typing-indicator/{}", {"recipient": FRIEND}),
    ("POST", "/v1/reactions/{}",
     {"recipient": FRIEND, "reaction": "x", "target_author": FRIEND, "timestamp": 1}),
    ("POST", "/v1/receipts/{}",
     {"recipient": FRIEND, "receipt_type": "read", "timestamp": 1}),
    ("DELETE", "/v1/remote-delete/{}", {"recipient": FRIEND, "timestamp": 1}),
    ("POST", "/v1/polls/{}",
     {"recipient": FRIEND, "question": "?", "answers": ["a", "b"]}),
    ("PUT", "/v1/accounts/{}/settings", {"share_number": True}),
    ("POST", "/v1/accounts/{}/username", {"username": "x.01"}),
    ("POST", "/v1/accounts/{}/pin", {"pin": "1"}),
    ("DELETE", "/v1/accounts/{}/pin", None),
    ("POST", "/v1/unregister/{}", None),
]  # fmt: skip


def test_every_route_that_names_it_says_the_same(bridge: Bridge, daemon: UnloadingDaemon) -> None:
    went_missing(bridge, daemon, ANN, lazily=False)
    for method, path, body in ROUTES:
        answer = bridge.request(method, path.format(ANN), json=body)
        assert answer.status_code == 503, (method, path, answer.text)
        check_not_loaded(answer)
    v1 = {"number": ANN, "recipients": [FRIEND], "message": "x"}
    check_not_loaded(bridge.post("/v1/send", json=v1))


def test_it_may_be_registered_anew_and_works_at_once(
    bridge: Bridge, daemon: UnloadingDaemon
) -> None:
    went_missing(bridge, daemon, ANN, lazily=False)
    assert bridge.post(f"/v1/register/{ANN}").status_code == 400  # asked; 0.13 has an opinion
    assert "register" in daemon.uses_of(ANN)


def test_a_request_without_an_account_is_not_sent_by_another_one_instead(
    bridge: Bridge, daemon: UnloadingDaemon
) -> None:
    went_missing(bridge, daemon, ANN, lazily=False)
    answer = bridge.post("/v2/send", json={"recipients": [FRIEND], "message": "hi"})
    assert answer.status_code == 400, "there are two, and it has to say which"


def test_the_only_account_is_not_forgotten_while_it_is_not_loaded(
    start_bridge: Start, daemon: UnloadingDaemon
) -> None:
    daemon.accounts.remove(BOB)
    bridge = start_bridge(MODE="json-rpc", BRIDGE_SIGNAL_CLI_RPC=daemon.address).wait_ready()
    eventually(lambda: state_of(bridge, ANN) == "linked", 20)
    went_missing(bridge, daemon, ANN, lazily=False)
    check_not_loaded(bridge.post("/v2/send", json={"recipients": [FRIEND], "message": "hi"}))


def test_signal_clis_own_dialect_has_its_words_and_says_beside_them_what_is_so(
    bridge: Bridge, daemon: UnloadingDaemon
) -> None:
    went_missing(bridge, daemon, ANN, lazily=True)
    before = len(daemon.uses_of(ANN))
    call = {"jsonrpc": "2.0", "id": 7, "method": "send", "params": {"account": ANN, "message": "x"}}
    answer = bridge.post("/api/v1/rpc", json=call)
    assert answer.status_code == 200
    error = answer.json()["error"]
    assert (error["code"], error["message"]) == (-32602, "Specified account does not exist")
    assert error["data"]["code"] == "account_not_loaded"
    assert error["data"]["retryable"] is True
    assert "send" not in daemon.uses_of(ANN)[before:]


def test_an_account_that_nobody_knows_stays_unknown(
    bridge: Bridge, daemon: UnloadingDaemon
) -> None:
    daemon.on("send", lambda connection, request: connection.reply(request, UNKNOWN))
    answer = send(bridge, "+4915199999")
    assert answer.status_code == 400
    body = answer.json()
    assert (body["code"], body["error"]) == ("unknown_account", "Specified account does not exist")
    assert body["retryable"] is False


def test_a_known_account_that_is_refused_before_the_book_knows_is_not_unknown(
    bridge: Bridge, daemon: UnloadingDaemon
) -> None:
    daemon.on("send", lambda connection, request: connection.reply(request, UNKNOWN))
    check_not_loaded(send(bridge, ANN))


def write_accounts(bridge: Bridge, **registered: bool) -> None:
    """signal-cli's own files (signal-cli.rst 4.2)."""
    data = bridge.config_dir / "data"
    data.mkdir(exist_ok=True)
    entries = [{"path": number, "environment": "LIVE", "number": number} for number in registered]
    for number, is_registered in registered.items():
        (data / number).write_text(json.dumps({"registered": is_registered}))
    (data / "accounts.json").write_text(json.dumps({"accounts": entries, "version": 2}))


def test_an_account_that_only_the_disk_knows_is_not_unknown(
    bridge: Bridge, daemon: UnloadingDaemon
) -> None:
    carl = "+4915100003"
    write_accounts(bridge, **{ANN: True, BOB: True, carl: True})
    daemon.on("send", lambda connection, request: connection.reply(request, UNKNOWN))
    answer = send(bridge, carl)
    assert (answer.status_code, answer.json()["code"]) == (503, "account_not_loaded")


def test_an_account_that_was_logged_out_says_that_it_has_to_be_linked_again(
    bridge: Bridge, daemon: UnloadingDaemon
) -> None:
    write_accounts(bridge, **{ANN: False, BOB: True})
    daemon.unload(ANN, lazily=False)
    eventually(lambda: state_of(bridge, ANN) == "unlinked", 20)
    answer = send(bridge, ANN)
    assert answer.status_code == 400
    body = answer.json()
    assert (body["code"], body["retryable"]) == ("account_unlinked", False)
    assert "Link it again" in body["error"]
    assert "Retry-After" not in answer.headers
    assert bridge.get("/v1/health").status_code == 204, "the others work"
    # Linked again, it works at once.
    daemon.load(ANN)
    assert send(bridge, ANN).status_code == 201


def test_one_that_has_just_been_unregistered_is_not_said_to_come_back(
    bridge: Bridge, daemon: UnloadingDaemon
) -> None:
    """The bridge has not looked yet; signal-cli's files say it already."""
    write_accounts(bridge, **{ANN: False, BOB: True})
    daemon.on("send", lambda connection, request: connection.reply(request, UNKNOWN))
    answer = send(bridge, ANN)
    assert (answer.status_code, answer.json()["code"]) == (400, "account_unlinked")


def test_it_is_logged_once_and_not_with_every_request(
    bridge: Bridge, daemon: UnloadingDaemon
) -> None:
    went_missing(bridge, daemon, ANN, lazily=False)
    for _ in range(20):
        check_not_loaded(send(bridge, ANN))
    daemon.wait_for(POKE, 3, 60)
    assert bridge.log.count("has not loaded") == 1
    assert ANN not in bridge.log
    daemon.load(ANN)
    eventually(lambda: "signal-cli has loaded every account" in bridge.log, 20)
