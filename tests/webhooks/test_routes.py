"""The routes, through the whole bridge on the sandbox: sent by one account, posted to a hook."""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support import Bridge, eventually
from tests.support.databases import Database
from tests.webhooks.receiver import Post, Receiver, status
from tests.webhooks.test_signature import SECRET, verifies

ACCOUNT = "+12025550100"
OTHER = "+12025550101"
HOOKS = f"/v1/webhooks/{ACCOUNT}"


@pytest.fixture(scope="module")
def shared(module_database: Database) -> Iterator[Bridge]:
    """One bridge for the tests that leave it as it was."""
    with Bridge(
        MODE="sandbox", BRIDGE_WEBHOOK_RETRY_SECONDS="0.1,0.1,0.1", **module_database.settings
    ) as bridge:
        bridge.wait_ready()
        yield bridge


@pytest.fixture
def bridge(shared: Bridge) -> Iterator[Bridge]:
    yield shared
    for account in (ACCOUNT, OTHER, "*"):
        for hook in shared.get(f"/v1/webhooks/{account}").json():
            shared.delete(f"/v1/webhooks/{account}/{hook['id']}")


def say(bridge: Bridge, text: str) -> None:
    body = {"number": OTHER, "recipients": [ACCOUNT], "message": text}
    answer = bridge.post("/v2/send", json=body)
    assert answer.status_code == 201, answer.text


def messages(posts: list[Post]) -> list[str]:
    """The texts among what was posted: there are receipts, too."""
    envelopes = [post.json.get("envelope") or post.json["params"]["envelope"] for post in posts]
    return [one["dataMessage"]["message"] for one in envelopes if "dataMessage" in one]


def wait_texts(receiver: Receiver, *texts: str) -> None:
    eventually(
        lambda: messages(receiver.posts) == list(texts), 20, lambda: str(messages(receiver.posts))
    )


def register(bridge: Bridge, url: str, **fields: Any) -> dict[str, Any]:
    answer = bridge.post(HOOKS, json={"url": url, "types": ["message"], **fields})
    assert answer.status_code in (200, 201), answer.text
    return dict(answer.json())


def test_the_documents_example_calls_the_hook(bridge: Bridge, receiver: Receiver) -> None:
    command = [
        "curl", "--silent", "--show-error", "--write-out", "%{http_code}", "--output", "/dev/null",
        "-X", "POST", f"{bridge.url}/v1/receive/{ACCOUNT}",
        "-H", "Content-Type: application/json",
        "-d", f'{{"webhook": "{receiver.url}"}}',
    ]  # fmt: skip
    assert subprocess.run(command, capture_output=True, check=True, text=True).stdout == "201"
    assert subprocess.run(command, capture_output=True, check=True, text=True).stdout == "200"
    say(bridge, "Hello from Signal!")
    wait_texts(receiver, "Hello from Signal!")
    [post] = receiver.posts
    assert set(post.json) == {"envelope", "account", "seq"}
    assert post.json["account"] == ACCOUNT
    assert post.json["envelope"]["sourceNumber"] == OTHER


def test_registering_shows_the_secret_once(bridge: Bridge, receiver: Receiver) -> None:
    url = receiver.url.replace("http://", "http://bot:geheim@")
    headers = {"Authorization": "Bearer geheim"}
    first = bridge.post(HOOKS, json={"webhook": url, "name": "bot", "headers": headers})
    assert first.status_code == 201
    made = first.json()
    secret = made.pop("secret")
    assert made == {
        "id": made["id"], "account": ACCOUNT, "name": "bot",
        "url": url.replace("geheim", "***"), "types": [], "from": [], "format": "standard",
        "headers": {"Authorization": "***"}, "state": "active", "detail": "",
        "created_at": made["created_at"], "position": made["position"],
        "failed_attempts": 0, "next_attempt_at": None, "failing_since": None,
    }  # fmt: skip
    again = bridge.post(HOOKS, json={"webhook": url, "name": "renamed"})
    assert (again.status_code, again.json()["id"]) == (200, made["id"])
    assert bridge.get(HOOKS).json() == [{**made, "name": "renamed"}]
    shown = bridge.get(f"{HOOKS}/{made['id']}")
    assert shown.json() == {**made, "name": "renamed", "waiting": 0, "parked": 0}
    for answer in (again, shown, bridge.get(HOOKS)):
        assert secret not in answer.text
        assert "geheim" not in answer.text
    say(bridge, "signed")
    wait_texts(receiver, "signed")
    assert verifies(secret, receiver.posts[0].headers, receiver.posts[0].body)
    assert "geheim" not in bridge.log
    assert secret not in bridge.log


def test_a_change_is_acted_on(bridge: Bridge, receive: Callable[[], Receiver]) -> None:
    old, new = receive(), receive()
    # Until its courier has heard of the pause it may deliver: nothing that is sent here.
    hook = register(bridge, old.url, secret=SECRET, **{"from": [ACCOUNT]})
    path = f"{HOOKS}/{hook['id']}"
    changed = bridge.put(path, json={"paused": True, "from": [OTHER]}).json()
    assert (changed["state"], changed["from"]) == ("paused", [OTHER])
    say(bridge, "while it is paused")
    waiting = eventually(lambda: bridge.get(path).json()["waiting"])
    assert waiting == 1
    assert bridge.put(path, json={"webhook": new.url, "paused": False}).status_code == 200
    wait_texts(new, "while it is paused")
    assert old.posts == []
    assert bridge.delete(path).status_code == 204
    assert bridge.get(path).status_code == 404


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({}, "Couldn't process request - webhook missing"),
        ({"webhook": ""}, "Couldn't process request - webhook missing"),
        ({"webhook": 7}, "Couldn't process request - invalid request"),
        ([], "Couldn't process request - invalid request"),
        ({"webhook": "localhost:9000"}, "must begin with http:// or https://"),
        ({"webhook": "http://169.254.169.254/"}, "link-local"),
        ({"webhook": "http://h/" + "x" * 100_000}, "longer than 2048"),
        ({"webhook": "http://h/", "types": ["massage"]}, "no events of type massage"),
        ({"webhook": "http://h/", "headers": {"Host": "x"}}, "Host cannot be set"),
        ({"webhook": "http://h/", "headers": {"X": 1}}, "invalid request"),
        ({"webhook": "http://h/", "secret": "mine"}, "whsec_"),
        ({"webhook": "http://h/", "format": "xml"}, "standard, jsonrpc"),
    ],
)
def test_what_cannot_be_is_400_with_a_sentence(bridge: Bridge, body: Any, sentence: str) -> None:
    for path in (HOOKS, f"/v1/receive/{ACCOUNT}"):
        answer = bridge.post(path, json=body)
        assert answer.status_code == 400
        assert sentence in answer.json()["error"]
    assert bridge.get(HOOKS).json() == []


def test_an_unknown_webhook_is_404(bridge: Bridge, receiver: Receiver) -> None:
    hook = register(bridge, receiver.url)
    elsewhere = f"/v1/webhooks/{OTHER}/{hook['id']}"
    for path in (f"{HOOKS}/wh_0", elsewhere):
        answers = [
            bridge.get(path), bridge.put(path, json={}), bridge.delete(path),
            bridge.post(f"{path}/test"), bridge.get(f"{path}/attempts"),
            bridge.get(f"{path}/parked"), bridge.post(f"{path}/replay"),
            bridge.post(f"{path}/replay", json={"since": 1}),
        ]  # fmt: skip
        assert [answer.status_code for answer in answers] == [404] * 8
        assert {answer.json()["code"] for answer in answers} == {"not_found"}


def test_a_test_says_what_the_receiver_answered(bridge: Bridge, receiver: Receiver) -> None:
    receiver.otherwise = status(202, b"hello yourself")
    hook = register(bridge, receiver.url, secret=SECRET)
    answer = bridge.post(f"{HOOKS}/{hook['id']}/test").json()
    assert answer.pop("duration_ms") >= 0
    shown = {"delivered": True, "status": 202, "error": "", "answer": "", "answer_bytes": 14}
    assert answer == shown
    [post] = receiver.posts
    assert (post.json["event"], post.json["account"]) == ("webhook.test", ACCOUNT)
    assert verifies(SECRET, post.headers, post.body)


def test_a_test_of_a_receiver_that_is_down(bridge: Bridge) -> None:
    hook = register(bridge, "http://127.0.0.1:1/", format="jsonrpc")
    answer = bridge.post(f"{HOOKS}/{hook['id']}/test").json()
    assert (answer["delivered"], answer["status"]) == (False, 0)
    assert answer["error"] == "no connection: Connection refused"


def test_answers_are_shown_and_kept_only_where_the_operator_says_so(receiver: Receiver) -> None:
    receiver.otherwise = status(404, b"an internal page")
    with Bridge(MODE="sandbox", BRIDGE_WEBHOOK_SHOW_ANSWERS="true") as shows:
        shows.wait_ready()
        path = f"{HOOKS}/{register(shows, receiver.url)['id']}"
        assert shows.post(f"{path}/test").json()["answer"] == "an internal page"
        say(shows, "refused")
        [kept] = eventually(lambda: shows.get(f"{path}/attempts").json())
        assert kept["answer"] == "an internal page"
        shows.stop()
        shows.environ["BRIDGE_WEBHOOK_SHOW_ANSWERS"] = "false"
        shows.start().wait_ready()
        [hidden] = shows.get(f"{path}/attempts").json()
        assert hidden == {**kept, "answer": ""}
        assert shows.post(f"{path}/test").json()["answer"] == ""
        say(shows, "refused again")
        eventually(lambda: len(shows.get(f"{path}/attempts").json()) == 2)
        with sqlite3.connect(f"file:{shows.config_dir}/bridge/bridge.db?mode=ro", uri=True) as data:
            answers = data.execute("select answer from attempts order by id").fetchall()
        assert answers == [("an internal page",), ("",)]


def test_attempts_parked_and_replay(bridge: Bridge, receiver: Receiver) -> None:
    receiver.answers = [status(503, b"not now"), status(404, b"who?")]
    path = f"{HOOKS}/{register(bridge, receiver.url)['id']}"
    say(bridge, "refused")
    [parked] = eventually(lambda: bridge.get(f"{path}/parked").json())
    assert parked["reason"] == "the receiver answered 404"
    assert parked["replaying"] is False
    attempts = bridge.get(f"{path}/attempts").json()
    assert [(one["status"], one["answer"], one["attempt"]) for one in attempts] == [
        (404, "", 2),
        (503, "", 1),
    ]
    assert bridge.get(path).json()["parked"] == 1
    seq = parked["seq"]
    assert bridge.post(f"{path}/replay", json={"seq": seq + 1}).status_code == 404
    answer = bridge.post(f"{path}/replay", json={"seq": seq})
    assert (answer.status_code, answer.json()) == (202, {"events": 1})
    eventually(lambda: bridge.get(f"{path}/parked").json() == [])
    answer = bridge.post(f"{path}/replay", json={"since": seq})
    assert (answer.status_code, answer.json()) == (202, {"events": 1})
    wait_texts(receiver, *["refused"] * 4)
    assert len({post.id for post in receiver.posts}) == 1
    assert bridge.post(f"{path}/replay", json={}).json() == {"events": 0}
    assert bridge.post(f"{path}/replay", json={"since": 1, "seq": 1}).status_code == 400


def test_what_the_bridge_says_of_itself_comes_to_those_who_ask(
    bridge: Bridge, receive: Callable[[], Receiver]
) -> None:
    refusing, watching = receive(), receive()
    refusing.otherwise = status(410)
    register(bridge, watching.url, types=["webhook.*"])
    hook = register(bridge, refusing.url, name="bot")
    say(bridge, "hello")
    [post] = watching.wait_for(1)
    told = post.json
    assert (told["event"], told["webhook"], told["name"]) == ("webhook.disabled", hook["id"], "bot")
    assert told["account"] == ACCOUNT
    assert isinstance(told["seq"], int)
    assert bridge.get(f"{HOOKS}/{hook['id']}").json()["state"] == "disabled"


def test_the_peers_setting_posts_the_peers_line(
    start_bridge: Callable[..., Bridge], receiver: Receiver, database: Database
) -> None:
    address = receiver.url + "?token=geheim"
    bridge = start_bridge(RECEIVE_WEBHOOK_URL=address, **database.settings).wait_ready()
    say(bridge, "as ever")
    wait_texts(receiver, "as ever")
    post = next(one for one in receiver.posts if b"as ever" in one.body)
    assert post.path == "/hook?token=geheim"
    assert post.body.startswith(b'{"jsonrpc":"2.0","method":"receive","params":{')
    assert post.body.endswith(b"}}\n")
    assert set(post.json["params"]) == {"envelope", "account"}
    assert post.json["params"]["account"] == ACCOUNT
    assert post.headers["content-type"] == "application/json"
    assert bridge.get("/v1/webhooks/*/env").json()["format"] == "jsonrpc"
    assert "geheim" not in bridge.log
    bridge.stop()
    del bridge.environ["RECEIVE_WEBHOOK_URL"]
    bridge.start().wait_open()
    assert bridge.get("/v1/webhooks/*").json() == []


def test_a_setting_that_cannot_be_used_stops_the_start() -> None:
    for url in ("bot:9000", "http://169.254.169.254/"):
        bridge = Bridge(MODE="sandbox", RECEIVE_WEBHOOK_URL=url)
        try:
            assert bridge.start().wait_exit() == 2
            assert "RECEIVE_WEBHOOK_URL cannot be" in bridge.log
        finally:
            bridge.close()
