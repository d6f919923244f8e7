"""One's own number in every spelling, and what is said of an account that is not here."""

from __future__ import annotations

import contextlib
import itertools
from typing import Any
from urllib.parse import quote

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.routes.conftest import ACCOUNT
from tests.signalcli.spellings import GROUP, NUMBER, NUMBER_SPELLINGS, USERNAME, UUID
from tests.support import Bridge, ScriptedDaemon, eventually
from tests.support.scripted_daemon import error, result, text_envelope

assert ACCOUNT == NUMBER
BARE = ACCOUNT.removeprefix("+")
# In a path there is no slash.
IN_PATHS = [
    text for text in (*NUMBER_SPELLINGS, BARE, f" {BARE}", "49 151 12345") if "/" not in text
]
_GROUP = GROUP.replace("/", "_")
PATHS: list[tuple[str, str, Any, str]] = [
    ("GET", "/v1/devices/{}", None, "listDevices"),
    ("POST", "/v1/devices/{}", {"uri": "sgnl://x"}, "addDevice"),
    ("DELETE", "/v1/devices/{}/3", None, "removeDevice"),
    ("DELETE", "/v1/devices/{}/local-data", None, "deleteLocalAccountData"),
    ("POST", "/v1/unregister/{}", None, "unregister"),
    ("PUT", "/v1/accounts/{}/settings", {}, "updateAccount"),
    ("POST", "/v1/accounts/{}/pin", {"pin": "1"}, "setPin"),
    ("DELETE", "/v1/accounts/{}/pin", None, "removePin"),
    ("GET", "/v1/groups/{}", None, "listGroups"),
    ("POST", "/v1/groups/{}", {"name": "g"}, "updateGroup"),
    ("POST", f"/v1/groups/{{}}/{_GROUP}/block", None, "block"),
    ("PUT", "/v1/typing-indicator/{}", {"recipient": "+491"}, "sendTyping"),
    ("POST", "/v1/polls/{}", {"recipient": "+491", "question": "q", "answers": ["a"]},
     "sendPollCreate"),
    ("GET", "/v1/contacts/{}", None, "listContacts"),
    ("GET", "/v1/identities/{}", None, "listIdentities"),
    ("GET", "/v1/sticker-packs/{}", None, "listStickerPacks"),
    ("PUT", "/v1/profiles/{}", {"name": "x"}, "updateProfile"),
    ("GET", "/v1/search/{}?numbers=%2B491", None, "getUserStatus"),
]  # fmt: skip
_times = itertools.count(1_700_000_000_000)


def in_path(text: str) -> str:
    return quote(text, safe="+")


@pytest.mark.parametrize(
    ("verb", "path", "body", "method"),
    PATHS,
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_path_names_an_account_as_one_likes(
    verb: str, path: str, body: Any, method: str, served: Bridge, daemon: ScriptedDaemon
) -> None:
    for text in IN_PATHS:
        daemon.forget()
        for listing in ("listDevices", "listGroups", "listContacts", "listIdentities"):
            daemon.on(listing, result([]))
        daemon.on("listStickerPacks", result([]))
        daemon.on("getUserStatus", result([]))
        answer = served.request(verb, path.format(in_path(text)), json=body)
        assert answer.ok, (text, answer.text)
        assert [asked.params["account"] for asked in daemon.asked(method)] == [ACCOUNT], text


@pytest.mark.parametrize("path", ["/v1/send", "/v2/send"])
def test_a_body_names_an_account_as_one_likes(
    path: str, served: Bridge, daemon: ScriptedDaemon
) -> None:
    for text in (*NUMBER_SPELLINGS, BARE):
        daemon.forget()
        answer = served.post(path, json={"number": text, "recipients": ["+491"], "message": "x"})
        assert answer.status_code == 201, text
        assert daemon.asked("send")[0].params["account"] == ACCOUNT


def test_what_names_no_account_is_refused_by_signal_cli(
    served: Bridge, daemon: ScriptedDaemon
) -> None:
    daemon.on("listDevices", error(-32602, "Specified account does not exist"))
    for text, given in (("x", "x"), ("015112345", "015112345"), (UUID.upper(), UUID)):
        answer = served.get(f"/v1/devices/{text}")
        assert (answer.status_code, answer.json()["code"]) == (400, "unknown_account")
        assert daemon.asked("listDevices")[-1].params["account"] == given


@pytest.mark.parametrize("path", ["/v1/register/{}", "/v1/register/{}/verify/123-456"])
def test_only_an_international_number_is_registered(
    path: str, served: Bridge, daemon: ScriptedDaemon
) -> None:
    for text in ("0049 151 12345", "%204915112345", "+49-151-12345"):
        daemon.forget()
        assert served.post(path.format(text)).status_code == 201
        (asked,) = [*daemon.asked("register"), *daemon.asked("verify")]
        assert asked.params["account"] == ACCOUNT
    daemon.forget()
    for text in (BARE, "015112345", "x", UUID):
        answer = served.post(path.format(text))
        assert answer.status_code == 400
        assert "is not an international number" in answer.json()["error"]
    assert [*daemon.asked("register"), *daemon.asked("verify")] == []


def test_a_search_gives_signal_cli_numbers_and_usernames(
    served: Bridge, daemon: ScriptedDaemon
) -> None:
    found = {"recipient": "+491", "number": "+491", "uuid": UUID, "isRegistered": True}
    name = {"recipient": USERNAME, "username": USERNAME, "uuid": None, "isRegistered": False}
    daemon.on("getUserStatus", result([found, name]))
    answer = served.get(f"/v1/search/{ACCOUNT}?numbers=0049-1&numbers=+492&numbers=u:{USERNAME}")
    assert answer.json() == [
        {"number": "+491", "registered": True},
        {"number": USERNAME, "registered": False},
    ]
    (asked,) = daemon.asked("getUserStatus")
    assert asked.params["recipient"] == ["+491", "+492"]
    assert asked.params["username"] == [USERNAME]
    assert served.get(f"/v1/search/{ACCOUNT}?numbers=015112345").status_code == 400


# -- receiving -------------------------------------------------------------------------------------


def receive(served: Bridge, daemon: ScriptedDaemon, text: str, sender: str = "+491") -> None:
    daemon.notify(ACCOUNT, text_envelope(sender, text, next(_times)))


def events_until(text: str, served: Bridge, path: str) -> Any:
    """The page of the feed that has the message, once it has."""
    return eventually(
        lambda: page if text in told((page := served.get(path).json())["events"]) else None
    )


def told(elements: Any) -> list[str]:
    return [element["envelope"]["dataMessage"]["message"] for element in elements]


@pytest.mark.parametrize("text", IN_PATHS)
def test_a_poll_is_sent_to_the_accounts_own_spelling(
    text: str, served: Bridge, daemon: ScriptedDaemon
) -> None:
    receive(served, daemon, f"for {text}")
    answer = served.get(f"/v1/receive/{in_path(text)}?timeout=20&max_messages=1")
    assert told(answer.json()) == [f"for {text}"]
    if text != ACCOUNT:
        (first,) = answer.history
        assert (first.status_code, first.headers["Location"]) == (
            301,
            f"/v1/receive/{ACCOUNT}?timeout=20&max_messages=1",
        )
    else:
        assert answer.history == []


def test_a_plus_may_be_escaped_once_or_twice(served: Bridge) -> None:
    for text in (f"%2B{BARE}", f"%252B{BARE}"):
        answer = served.get(f"/v1/receive/{text}?timeout=0")
        assert (answer.status_code, answer.history) == (200, [])


def test_streams_and_events_read_any_spelling(served: Bridge, daemon: ScriptedDaemon) -> None:
    receive(served, daemon, "hello")
    page = events_until("hello", served, f"/v1/events?account=00{BARE}&types=message&limit=1000")
    same = f"/v1/events?account=+{BARE}&types=message&limit=1000"
    assert served.get(same).json() == page
    url = f"{served.url.replace('http', 'ws')}/v1/receive/00{BARE}?after={page['next']}"
    with connect(url) as client:
        receive(served, daemon, "again")
        assert "again" in str(client.recv(timeout=20))


@pytest.mark.parametrize("path", ["/v1/receive/{}?timeout=0", "/v1/events?account={}"])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("%2B4999999999", "User +4999999999 is not registered."),
        ("004999999999", "User +4999999999 is not registered."),
        ("4999999999", "User +4999999999 is not registered."),
        ("0151", "Invalid account (phone number), make sure you include the country code."),
        ("nobody", "Invalid account (phone number), make sure you include the country code."),
        ("%2B49%00", "Invalid account (phone number), make sure you include the country code."),
    ],
)
def test_nothing_can_be_received_for_an_account_that_is_not_here(
    path: str, text: str, said: str, served: Bridge
) -> None:
    answer = served.get(path.format(text))
    assert (answer.status_code, answer.json()["error"]) == (400, said)
    stream = served.get(path.format(text), headers={"Accept": "text/event-stream"})
    assert (stream.status_code, stream.json()["error"]) == (400, said)


def test_a_websocket_of_an_account_that_is_not_here_is_refused(served: Bridge) -> None:
    with (
        pytest.raises(InvalidStatus) as caught,
        connect(f"{served.url.replace('http', 'ws')}/v1/receive/+4999999999"),
    ):
        pass
    assert caught.value.response.status_code == 400


def test_an_account_that_is_gone_can_still_be_read(served: Bridge, daemon: ScriptedDaemon) -> None:
    gone = "+4915177777"
    daemon.notify(gone, text_envelope("+491", "before it went", next(_times)))
    events_until("before it went", served, "/v1/events?types=message&limit=1000")
    assert told(served.get(f"/v1/receive/{gone}?timeout=0").json()) == ["before it went"]
    assert served.get(f"/v1/receive/{gone}?timeout=0").json() == []


def test_an_account_that_signal_cli_has_only_just_got_can_be_read(
    served: Bridge, daemon: ScriptedDaemon
) -> None:
    new = "+4915188888"
    daemon.on("listAccounts", result([{"number": ACCOUNT}, {"number": new}]))
    assert served.get(f"/v1/receive/{new}?timeout=0").json() == []


@pytest.mark.parametrize("sender", ["0049 161 1", "%2B49-161-1", "+491611", "%20491611"])
def test_events_are_chosen_by_a_sender_in_any_spelling(
    sender: str, served: Bridge, daemon: ScriptedDaemon
) -> None:
    receive(served, daemon, sender, sender="+491611")
    page = served.get(f"/v1/events?from=name,{sender}&types=message")
    assert page.status_code == 400, "nobody is told of by a username"
    page = events_until(sender, served, f"/v1/events?from={sender}&types=message&limit=1000")
    assert {event["envelope"]["source"] for event in page["events"]} == {"+491611"}


def test_a_webhook_is_for_an_account_and_senders_in_any_spelling(served: Bridge) -> None:
    body = {"url": "http://127.0.0.1:9/hook", "from": ["0049 1", UUID.upper()]}
    hook = served.post(f"/v1/webhooks/00{BARE}", json=body).json()
    with contextlib.ExitStack() as stack:
        stack.callback(lambda: served.delete(f"/v1/webhooks/{ACCOUNT}/{hook['id']}"))
        assert (hook["account"], hook["from"]) == (ACCOUNT, ["+491", UUID])
        assert served.get(f"/v1/webhooks/{BARE}/{hook['id']}").status_code == 200
    answer = served.post(f"/v1/webhooks/{ACCOUNT}", json=body | {"from": ["015112345"]})
    assert answer.status_code == 400
    assert "is not an international number" in answer.json()["error"]


def test_a_status_and_a_trust_mode_are_of_the_account(served: Bridge) -> None:
    assert served.get(f"/v1/accounts/{BARE}/status").json()["number"] == ACCOUNT
    mode = served.get(f"/v1/configuration/00{BARE}/settings").json()
    assert mode == served.get(f"/v1/configuration/{ACCOUNT}/settings").json()
