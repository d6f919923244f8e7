"""What signal-cli says becomes an event, whatever it says."""

from __future__ import annotations

import copy
import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signal_bridge.feed.envelope import arrival_of
from tests.feed.envelopes import ACCOUNT, ALICE, EVERY_KIND, FILE, HEAD, data, received, text
from tests.feed.recorded_keys import KEYS, PARAMS

# What orjson gives for a line: integers of 64 bits, finite floats, text without surrogates.
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["envelope", "account", "subscription", "result", "exception", "dataMessage",
                 "reaction", "sourceUuid", "source", "timestamp", "syncMessage"]
            ) | st.text(st.characters(exclude_categories=["Cs"]), max_size=3),
            inner, max_size=4,
        )
    ),
    max_leaves=12,
)  # fmt: skip


def without_voice_notes(payload: bytes) -> Any:
    """The payload without the one thing that is added to what signal-cli sent."""

    def drop(members: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in members.items() if key != "isVoiceNote"}

    return json.loads(payload, object_hook=drop)


def wrapped(params: dict[str, Any]) -> dict[str, Any]:
    return {"subscription": 3, "result": params}


@pytest.mark.parametrize(("kind", "params"), EVERY_KIND.values(), ids=EVERY_KIND)
def test_every_kind_of_envelope_is_an_event_kept_whole(kind: str, params: dict[str, Any]) -> None:
    arrival = arrival_of(params)
    assert (arrival.kind, arrival.account) == (kind, ACCOUNT)
    assert without_voice_notes(arrival.payload) == params


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ({"message": "hi", "isExpirationUpdate": True}, "message"),
        ({"message": "hi", "groupInfo": {"type": "UPDATE"}}, "message"),
        ({"message": ""}, "message"),
        ({"message": "Lunch?", "pollCreate": {"question": "Lunch?"}}, "poll"),
        ({"message": "thanks", "payment": {"note": "thanks"}}, "payment"),
        ({"reaction": {"emoji": "👍"}, "storyContext": {"sentTimestamp": 17}}, "reaction"),
        ({"storyContext": {"sentTimestamp": 17}}, "message"),
        ({"viewOnce": True}, "message"),
        ({"attachments": [], "contacts": [], "groupInfo": {"type": "DELIVER"}}, "other"),
        ({"isExpirationUpdate": None, "expiresInSeconds": 60}, "other"),
        ({"pinMessage": None}, "other"),
        ({"groupInfo": 5, "isExpirationUpdate": 1}, "other"),
        ({}, "other"),
    ],
)
def test_a_message_is_what_says_something(content: dict[str, Any], kind: str) -> None:
    assert arrival_of(data(**content)).kind == kind


def test_what_another_device_has_sent_and_an_edit_are_of_one_kind() -> None:
    vote = {"pollVote": {"optionIndexes": [0]}}
    assert arrival_of(received(syncMessage={"sentMessage": vote})).kind == "sync"
    assert arrival_of(received(editMessage={"dataMessage": vote})).kind == "edit"


def test_a_data_message_that_is_none_is_an_event_still() -> None:
    assert arrival_of(received(dataMessage=None)).kind == "other"
    assert arrival_of(received(dataMessage=[])).kind == "other"


@pytest.mark.parametrize("params", [params for _, params in EVERY_KIND.values()], ids=EVERY_KIND)
def test_both_shapes_of_a_notification_are_the_same_event(params: dict[str, Any]) -> None:
    assert arrival_of(wrapped(params)) == arrival_of(params)


def test_no_two_kinds_are_one_message() -> None:
    keys = {name: arrival_of(params).dedup_key for name, (_, params) in EVERY_KIND.items()}
    assert len(set(keys.values())) == len(keys)


def test_an_event_knows_its_sender() -> None:
    arrival = arrival_of(data(message="hi"))
    assert (arrival.sender_uuid, arrival.sender_number) == (ALICE, "+15550002222")
    unknown = arrival_of(received(sourceUuid=None, sourceNumber=None))
    assert (unknown.sender_uuid, unknown.sender_number) == ("", "")


@given(json_values)
def test_anything_at_all_is_an_event(params: Any) -> None:
    arrival = arrival_of(params)
    assert isinstance(arrival.account, str)
    assert isinstance(json.loads(arrival.payload), dict)
    assert arrival_of(params) == arrival


@given(json_values)
def test_an_event_keeps_whatever_object_it_came_from(value: Any) -> None:
    params = {"envelope": value, "account": ACCOUNT, "new": value}
    assert orjson.loads(arrival_of(params).payload) == params


def test_every_attachment_says_whether_it_is_a_voice_note() -> None:
    message = {
        "attachments": [FILE, {**FILE, "isVoiceNote": True}, {"contentType": "no id"}],
        "previews": [{"url": "u", "image": FILE}],
        "quote": {"attachments": [{"contentType": "image/png", "thumbnail": FILE}]},
    }
    params = data(**message)
    before = copy.deepcopy(params)
    kept = orjson.loads(arrival_of(params).payload)["envelope"]["dataMessage"]
    file = {**FILE, "isVoiceNote": False}
    assert kept["attachments"] == [file, {**FILE, "isVoiceNote": True}, {"contentType": "no id"}]
    assert kept["previews"] == [{"url": "u", "image": file}]
    assert kept["quote"]["attachments"] == [{"contentType": "image/png", "thumbnail": file}]
    assert params == before


def test_an_attachment_is_found_as_deep_as_a_line_may_be() -> None:
    line = b'{"a":' * 240 + b'{"image":{"contentType":"x","id":"y"}}' + b"}" * 240
    arrival = arrival_of({"envelope": {"dataMessage": orjson.loads(line)}})
    assert b'"id":"y","isVoiceNote":false' in arrival.payload


@pytest.mark.parametrize("params", [None, 5, "x", [], {}, {"subscription": 1}, {"envelope": 5},
                                    {"account": 5}, {"subscription": 1, "result": []}])  # fmt: skip
def test_what_has_no_envelope_is_an_event_too(params: Any) -> None:
    assert arrival_of(params).kind == "other"
    assert arrival_of(params).account == ""


@pytest.mark.parametrize("levels", [10, 180, 250, 260, 1000])
def test_an_envelope_may_be_as_deep_as_a_line_may_be(levels: int) -> None:
    deep = b'{"a":' * levels + b"1" + b"}" * levels
    line = b'{"envelope":{"timestamp":1,"dataMessage":' + deep + b'},"account":"+1"}'
    arrival = arrival_of(orjson.loads(line))
    assert (arrival.kind, arrival.account) == ("other", "+1")
    whole = orjson.loads(arrival.payload) == orjson.loads(line)
    assert whole if levels < 200 else arrival.payload.count(b'"a":') > 100


# -- what is the same message --------------------------------------------------------------


def key(params: Any) -> str:
    return arrival_of(params).dedup_key


@pytest.mark.parametrize("name", PARAMS)
def test_a_message_of_an_earlier_version_is_known_again(name: str) -> None:
    assert key(PARAMS[name]) == KEYS[name]


@pytest.mark.parametrize(
    "changed",
    [
        {"serverReceivedTimestamp": 1700000009999},
        {"serverDeliveredTimestamp": 1700000009999},
        {"sourceName": "Alice Renamed"},
        {"source": ALICE, "sourceNumber": None},
    ],
)
def test_a_message_handed_out_again_is_the_same(changed: dict[str, Any]) -> None:
    again = data(message="hi")
    again["envelope"].update(changed)
    assert key(again) == key(data(message="hi"))


def test_the_order_of_members_does_not_matter() -> None:
    envelope = {**HEAD, "dataMessage": {"message": "hi", "timestamp": 1}}
    turned = dict(reversed(envelope.items()))
    assert key({"envelope": turned, "account": ACCOUNT}) == key(
        {"account": ACCOUNT, "envelope": envelope}
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"timestamp": 1700000000124},
        {"sourceUuid": "22222222-2222-4333-8444-555555555555"},
        {"sourceDevice": 2},
        {"dataMessage": {"message": "other words"}},
    ],
)
def test_another_sender_device_time_or_content_is_another_message(
    changed: dict[str, Any],
) -> None:
    assert key(received(**{"dataMessage": {"message": "hi"}, **changed})) != key(
        received(dataMessage={"message": "hi"})
    )


def test_the_same_message_to_two_accounts_is_two_events() -> None:
    assert key(text("hi", account="+1")) != key(text("hi", account="+2"))
