"""pysignalclirestapi, as Home Assistant and many scripts use it, unmodified.

The constructor and most calls ask `/v1/about` first. In json-rpc mode `receive` opens a WebSocket
for each call, else it is a GET.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pysignalclirestapi import SignalCliRestApi, SignalCliRestApiError
from pysignalclirestapi.api import SignalCliRestApiHTTPBasicAuth

from tests.clients.people import ANN, BOB, CYD, NOBODY, PNG, unique
from tests.support import Bridge, ScriptedDaemon, eventually
from tests.support.scripted_daemon import text_envelope


@pytest.fixture(scope="module")
def ann(bridge: Bridge) -> SignalCliRestApi:
    return SignalCliRestApi(bridge.url, ANN)


@pytest.fixture(scope="module")
def bob(bridge: Bridge) -> SignalCliRestApi:
    return SignalCliRestApi(bridge.url, BOB)


@pytest.fixture(scope="module")
def group(ann: SignalCliRestApi) -> str:
    made = ann.create_group("pysignal", [BOB], description="d", permissions={})
    return str(made["id"])


def received(client: SignalCliRestApi, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The first message that is `wanted`, received as often as it takes."""
    seen: list[dict[str, Any]] = client.__dict__.setdefault("seen_by_tests", [])

    def found() -> dict[str, Any] | None:
        if not any(map(wanted, seen)):
            seen.extend(each["envelope"] for each in client.receive())
        return next(filter(wanted, seen), None)

    return eventually(found, 20, "the wanted message")  # type: ignore[return-value]


def received_text(client: SignalCliRestApi, text: str) -> dict[str, Any]:
    return received(client, lambda e: e.get("dataMessage", {}).get("message") == text)


def test_it_sees_what_the_bridge_can_do(ann: SignalCliRestApi) -> None:
    assert ann.api_info() == (["v1", "v2"], 2)
    assert ann.mode() == "json-rpc"
    assert ann.has_capability("v2/send", "mentions")
    assert ann.has_capability("v2/send", "quotes")


def test_a_message_is_sent_and_received(ann: SignalCliRestApi, bob: SignalCliRestApi) -> None:
    text = unique("hello")
    (sent,) = ann.send_message(text, BOB)
    envelope = received_text(bob, text)
    assert envelope["timestamp"] == int(sent["timestamp"])
    assert envelope["source"] == ANN


def test_a_message_is_received_once(ann: SignalCliRestApi, bob: SignalCliRestApi) -> None:
    text = unique("once")
    ann.send_message(text, [BOB])
    received_text(bob, text)
    assert text not in json.dumps(bob.receive())


def test_no_more_is_received_than_asked_for(ann: SignalCliRestApi, bob: SignalCliRestApi) -> None:
    ann.send_message("one", BOB)
    ann.send_message("two", BOB)
    assert len(bob.receive(max_messages=1, timeout=10)) == 1


def test_inside_an_event_loop_it_receives_too(ann: SignalCliRestApi, bob: SignalCliRestApi) -> None:
    text = unique("in a loop")
    ann.send_message(text, BOB)

    def found() -> bool:
        return text in json.dumps(asyncio.run(bob.receive_ws(timeout=2)))

    assert eventually(found, 20, "the message")


def test_mentions_quotes_and_styles_arrive(ann: SignalCliRestApi, bob: SignalCliRestApi) -> None:
    text = unique("X **bold**")
    ann.send_message(
        text,
        [BOB],
        mentions=[{"author": BOB, "start": 0, "length": 1}],
        quote_timestamp=1700000000000,
        quote_author=BOB,
        quote_message="earlier",
        text_mode="styled",
    )
    message = received_text(bob, text.replace("*", ""))["dataMessage"]
    assert message["mentions"][0]["number"] == BOB
    assert message["quote"]["text"] == "earlier"
    assert message["textStyles"] == [{"style": "BOLD", "start": 2, "length": 4}]


def test_files_and_bytes_arrive_and_can_be_fetched_and_deleted(
    ann: SignalCliRestApi, bob: SignalCliRestApi, tmp_path: Path
) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(PNG)
    text = unique("two files")
    ann.send_message(text, [BOB], filenames=[str(path)], attachments_as_bytes=None)
    more = unique("some bytes")
    ann.send_message(more, [BOB], attachments_as_bytes=[b"bytes \0\xff"])
    (picture,) = received_text(bob, text)["dataMessage"]["attachments"]
    (data,) = received_text(bob, more)["dataMessage"]["attachments"]
    assert {picture["id"], data["id"]} <= set(bob.list_attachments())
    assert bob.get_attachment(picture["id"]) == PNG
    assert bob.get_attachment(data["id"]) == b"bytes \0\xff"
    bob.delete_attachment(picture["id"])
    assert picture["id"] not in bob.list_attachments()
    with pytest.raises(SignalCliRestApiError):
        bob.get_attachment(picture["id"])


def test_home_assistant_sends_an_empty_list_of_files(
    ann: SignalCliRestApi, bob: SignalCliRestApi
) -> None:
    text = unique("from Home Assistant")
    ann.send_message(text, [BOB], False, [], [], text_mode="normal")
    assert "attachments" not in received_text(bob, text)["dataMessage"]


def test_a_group_is_managed(ann: SignalCliRestApi, group: str) -> None:
    assert group in [each["id"] for each in ann.list_groups()]
    ann.update_group(group, name="renamed", description="new", attachment_as_bytes=PNG)
    ann.add_group_members(group, CYD)
    ann.add_group_admins(group, [BOB])
    shown = ann.get_group(group)
    assert (shown["name"], shown["description"]) == ("renamed", "new")
    assert sorted(shown["members"]) == [ANN, BOB, CYD]
    assert sorted(shown["admins"]) == [ANN, BOB]
    ann.remove_group_admins(group, BOB)
    ann.remove_group_members(group, [CYD])
    shown = ann.get_group(group)
    assert (shown["admins"], sorted(shown["members"])) == ([ANN], [ANN, BOB])


def test_a_group_message_arrives_with_its_group(
    ann: SignalCliRestApi, bob: SignalCliRestApi, group: str
) -> None:
    text = unique("to the group")
    ann.send_message(text, group)
    info = received_text(bob, text)["dataMessage"]["groupInfo"]
    assert info["groupId"] == ann.get_group(group)["internal_id"]


def test_a_group_is_left_blocked_and_deleted(ann: SignalCliRestApi, bob: SignalCliRestApi) -> None:
    left = ann.create_group("left", BOB)["id"]
    bob.leave_group(left)
    assert BOB not in ann.get_group(left)["members"]
    blocked = ann.create_group("blocked", BOB)["id"]
    bob.block_group(blocked)
    assert bob.get_group(blocked)["blocked"] is True
    ann.delete_group(left)


def test_a_message_is_reacted_to_and_read(ann: SignalCliRestApi, bob: SignalCliRestApi) -> None:
    text = unique("react to this")
    (sent,) = ann.send_message(text, BOB)
    timestamp = int(sent["timestamp"])
    received_text(bob, text)
    bob.add_reaction("\N{RED APPLE}", ANN, timestamp)
    bob.remove_reaction(ANN, timestamp)
    bob.send_receipt(ANN, timestamp, "viewed")

    def is_reaction_to_it(envelope: dict[str, Any]) -> bool:
        reaction = envelope.get("dataMessage", {}).get("reaction") or {}
        return reaction.get("targetSentTimestamp") == timestamp

    reaction = received(ann, is_reaction_to_it)["dataMessage"]["reaction"]
    assert (reaction["emoji"], reaction["isRemove"]) == ("\N{RED APPLE}", False)


def test_people_are_listed_searched_and_trusted(ann: SignalCliRestApi) -> None:
    ann.sync_contacts()
    assert BOB in [each["number"] for each in ann.get_contacts()]
    found = {each["number"]: each["registered"] for each in ann.search([BOB, NOBODY])}
    assert found == {BOB: True, NOBODY: False}
    numbers = {each["number"]: each["safety_number"] for each in ann.list_indentities()}
    ann.verify_indentity(BOB, numbers[BOB])


def test_an_account_shows_itself(ann: SignalCliRestApi) -> None:
    assert ANN in ann.list_accounts()
    ann.update_profile("Ann", attachment_as_bytes=PNG)
    assert base64.b64decode(ann.link_with_qr("my device")).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("call", "arguments"),
    [("update_contact", (BOB, "Bobby")), ("add_pin", ("1234",)), ("remove_pin", ())],
)
def test_what_it_fails_to_read_was_done_all_the_same(
    ann: SignalCliRestApi, call: str, arguments: tuple[str, ...]
) -> None:
    """Its own defect: it wants JSON in an answer that is empty, from the original server too."""
    with pytest.raises(json.JSONDecodeError):
        getattr(ann, call)(*arguments)
    if call == "update_contact":
        assert "Bobby" in [each["name"] for each in ann.get_contacts()]


def test_a_refusal_is_shown_in_the_words_of_signal_cli(ann: SignalCliRestApi) -> None:
    with pytest.raises(SignalCliRestApiError, match="Failed to send message"):
        ann.send_message("hi", NOBODY)


def test_a_password_does_no_harm(bridge: Bridge) -> None:
    client = SignalCliRestApi(bridge.url, ANN, auth=SignalCliRestApiHTTPBasicAuth("me", "pw"))
    assert ANN in client.list_accounts()
    assert isinstance(client.receive(), list)


def test_in_normal_mode_it_receives_by_get(plain: Bridge, scripted: ScriptedDaemon) -> None:
    number = scripted.accounts[0]
    client = SignalCliRestApi(plain.url, number)
    assert client.mode() == "normal"
    text = unique("by GET")
    scripted.notify(number, text_envelope(BOB, text, 1700000000000))
    assert received_text(client, text)["source"] == BOB
