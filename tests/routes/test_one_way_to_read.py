"""One table of spellings through every route: signal-cli is given the same each time.

What a route names people by in its body or path is in ROUTES, with where it comes out.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import quote

import pytest

from tests.routes.conftest import ACCOUNT
from tests.signalcli.spellings import (
    GROUP,
    GROUP_SPELLINGS,
    LEGACY_GROUP,
    LEGACY_GROUP_SPELLINGS,
    LINK,
    LINK_SPELLINGS,
    NO_NUMBERS,
    NOBODY,
    NUMBER,
    NUMBER_SPELLINGS,
    PNI,
    PNI_SPELLINGS,
    USERNAME,
    USERNAME_SPELLINGS,
    UUID,
    UUID_SPELLINGS,
)
from tests.support import Bridge, ScriptedDaemon
from tests.support.scripted_daemon import result

PEOPLE = {
    NUMBER: NUMBER_SPELLINGS,
    UUID: UUID_SPELLINGS,
    PNI: PNI_SPELLINGS,
    f"u:{USERNAME}": USERNAME_SPELLINGS,
    f"u:{LINK}": LINK_SPELLINGS,
}
GROUPS = {GROUP: GROUP_SPELLINGS, LEGACY_GROUP: LEGACY_GROUP_SPELLINGS}

SEND = {"number": ACCOUNT, "message": "x"}
REACTION = {"reaction": "x", "target_author": ACCOUNT, "timestamp": 5}
VOTE = {"poll_timestamp": "5", "selected_answers": [1]}
TRUST = {"trust_all_known_keys": True}
QUOTE = {**SEND, "recipients": [ACCOUNT], "quote_timestamp": 5, "quote_author": ACCOUNT}
MENTION = {"start": 0, "length": 1}


class Way(NamedTuple):
    """A request that names somebody: `here` in its body or path is replaced by the spelling."""

    verb: str
    path: str
    body: Any
    method: str
    param: str  # of signal-cli, in which it comes out
    takes_groups: bool = False


HERE = "<here>"
GROUP_IN_PATH = GROUP.replace("/", "_")
WAYS = (
    Way("POST", "/v2/send", SEND | {"recipients": [HERE]}, "send", "recipient", True),
    Way("POST", "/v2/send", SEND | {"recipient": HERE}, "send", "recipient", True),
    Way("POST", "/v1/send", SEND | {"recipients": [HERE]}, "send", "recipient", True),
    Way("POST", "/v2/send", QUOTE | {"quote_author": HERE}, "send", "quote-author"),
    Way("POST", "/v2/send", QUOTE | {"story_author": HERE}, "send", "story-author"),
    Way("POST", "/v2/send", QUOTE | {"mentions": [MENTION | {"author": HERE}]}, "send", "mentions"),
    Way("POST", "/v2/send", QUOTE | {"quote_mentions": [MENTION | {"author": HERE}]}, "send",
        "quote-mentions"),
    Way("POST", "/v2/send", {"number": ACCOUNT, "recipients": [HERE], "reaction": REACTION},
        "sendReaction", "recipient", True),
    Way("PUT", f"/v1/typing-indicator/{ACCOUNT}", {"recipient": HERE}, "sendTyping", "recipient",
        True),
    Way("DELETE", f"/v1/typing-indicator/{ACCOUNT}", {"recipient": HERE}, "sendTyping",
        "recipient", True),
    Way("POST", f"/v1/reactions/{ACCOUNT}", REACTION | {"recipient": HERE}, "sendReaction",
        "recipient", True),
    Way("DELETE", f"/v1/reactions/{ACCOUNT}", REACTION | {"recipient": HERE}, "sendReaction",
        "recipient", True),
    Way("POST", f"/v1/reactions/{ACCOUNT}", REACTION | {"recipient": ACCOUNT,
        "target_author": HERE}, "sendReaction", "target-author"),
    Way("POST", f"/v1/receipts/{ACCOUNT}", {"recipient": HERE, "receipt_type": "read",
        "timestamp": 5}, "sendReceipt", "recipient"),
    Way("DELETE", f"/v1/remote-delete/{ACCOUNT}", {"recipient": HERE, "timestamp": 5},
        "remoteDelete", "recipient", True),
    Way("POST", f"/v1/polls/{ACCOUNT}", {"recipient": HERE, "question": "q", "answers": ["a"]},
        "sendPollCreate", "recipient", True),
    Way("POST", f"/v1/polls/{ACCOUNT}/vote", VOTE | {"recipient": HERE, "poll_author": ACCOUNT},
        "sendPollVote", "recipient", True),
    Way("POST", f"/v1/polls/{ACCOUNT}/vote", VOTE | {"recipient": ACCOUNT, "poll_author": HERE},
        "sendPollVote", "poll-author"),
    Way("DELETE", f"/v1/polls/{ACCOUNT}", {"recipient": HERE, "poll_timestamp": "5"},
        "sendPollTerminate", "recipient", True),
    Way("POST", f"/v1/groups/{ACCOUNT}", {"name": "g", "members": [HERE]}, "updateGroup",
        "members"),
    Way("POST", f"/v1/groups/{ACCOUNT}/{GROUP_IN_PATH}/members", {"members": [HERE]},
        "updateGroup", "member"),
    Way("DELETE", f"/v1/groups/{ACCOUNT}/{GROUP_IN_PATH}/members", {"members": [HERE]},
        "updateGroup", "remove-member"),
    Way("POST", f"/v1/groups/{ACCOUNT}/{GROUP_IN_PATH}/admins", {"admins": [HERE]},
        "updateGroup", "admin"),
    Way("DELETE", f"/v1/groups/{ACCOUNT}/{GROUP_IN_PATH}/admins", {"admins": [HERE]},
        "updateGroup", "remove-admin"),
    Way("POST", f"/v1/groups/{ACCOUNT}/{GROUP_IN_PATH}/pin-message",
        {"target_author": HERE, "timestamp": 5}, "sendPinMessage", "target-author"),
    Way("DELETE", f"/v1/groups/{ACCOUNT}/{GROUP_IN_PATH}/pin-message",
        {"target_author": HERE, "timestamp": 5}, "sendUnpinMessage", "target-author"),
    Way("PUT", f"/v1/contacts/{ACCOUNT}", {"recipient": HERE, "name": "x"}, "updateContact",
        "recipient"),
    Way("GET", f"/v1/contacts/{ACCOUNT}/{HERE}", None, "listContacts", "recipient"),
    Way("GET", f"/v1/contacts/{ACCOUNT}/{HERE}/avatar", None, "getAvatar", "profile"),
    Way("PUT", f"/v1/identities/{ACCOUNT}/trust/{HERE}", TRUST, "trust", "recipient"),
)  # fmt: skip


def ids(way: Way) -> str:
    return f"{way.verb} {way.path.split('/')[2]} {way.method} {way.param}"


def script(daemon: ScriptedDaemon) -> None:
    """Nothing was asked yet, and everything can be answered."""
    daemon.forget()
    daemon.on("listGroups", result([{"id": GROUP}, {"id": LEGACY_GROUP}]))
    daemon.on("updateGroup", result({"groupId": GROUP}))
    daemon.on("listContacts", result([{"number": NUMBER}]))
    daemon.on("getAvatar", result({"data": "iVBORw0KGgo="}))


def put_in(value: Any, text: str) -> Any:
    if isinstance(value, dict):
        return {key: put_in(each, text) for key, each in value.items()}
    if isinstance(value, list):
        return [put_in(each, text) for each in value]
    return text if value == HERE else value


def ask(bridge: Bridge, way: Way, text: str) -> Any:
    path = way.path.replace(HERE, quote(text, safe="+"))
    body = {} if way.body is None else {"json": put_in(way.body, text)}
    return bridge.request(way.verb, path, **body)


def named(daemon: ScriptedDaemon, way: Way) -> str:
    """Whom signal-cli was told, in the spelling of parameters that hold people of every kind."""
    (request,) = daemon.asked(way.method)
    params = request.params
    if way.takes_groups and "group-id" in params:
        return str(params["group-id"])
    if way.takes_groups and "username" in params:
        return f"u:{single(params['username'])}"
    found = single(params[way.param])
    return found.removeprefix("0:1:") if way.param.endswith("mentions") else found


def single(value: Any) -> str:
    (one,) = value if isinstance(value, list) else [value]
    return str(one)


def fits_in_path(way: Way, text: str) -> bool:
    """A slash parts segments, escaped or not (rest-surface.rst 1.2)."""
    return HERE not in way.path or "/" not in text


@pytest.mark.parametrize("way", WAYS, ids=ids)
def test_every_route_reads_people_alike(way: Way, served: Bridge, daemon: ScriptedDaemon) -> None:
    for person, spellings in PEOPLE.items():
        for text in spellings:
            if not fits_in_path(way, text):
                continue
            script(daemon)
            answer = ask(served, way, text)
            assert answer.ok, (text, answer.text)
            assert named(daemon, way) == person, text


@pytest.mark.parametrize("way", [way for way in WAYS if way.takes_groups], ids=ids)
def test_every_route_reads_groups_alike(way: Way, served: Bridge, daemon: ScriptedDaemon) -> None:
    for group, spellings in GROUPS.items():
        for text in spellings:
            script(daemon)
            answer = ask(served, way, text)
            assert answer.ok, (text, answer.text)
            assert named(daemon, way) == group, text


@pytest.mark.parametrize("way", WAYS, ids=ids)
def test_every_route_refuses_what_signal_cli_would_guess_at(
    way: Way, served: Bridge, daemon: ScriptedDaemon
) -> None:
    for text in (*NO_NUMBERS, *NOBODY):
        if not fits_in_path(way, text):
            continue
        answer = ask(served, way, text)
        assert answer.status_code == 400, (text, answer.text)
        assert "username" not in answer.json()["error"]
    assert daemon.asked(way.method) == []


@pytest.mark.parametrize("way", [way for way in WAYS if not way.takes_groups], ids=ids)
def test_a_group_is_refused_where_a_person_belongs(
    way: Way, served: Bridge, daemon: ScriptedDaemon
) -> None:
    script(daemon)
    for text in (GROUP_IN_PATH, LEGACY_GROUP.replace("/", "_")):
        answer = ask(served, way, text)
        assert answer.status_code == 400
        assert "is a group, and a person belongs here" in answer.json()["error"]
    assert daemon.asked(way.method) == []
