"""What a request leaves behind: nothing for who is not here, nor once the account is gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest

from tests.support import Bridge, eventually
from tests.support.databases import Database, change, rows

ALICE, BOB = "+12025550100", "+12025550101"
HOOK = {"webhook": "http://127.0.0.1:9/nobody-there"}
STRANGERS = (
    "+15550000000",
    "ssrf",
    "self",
    "a,b",
    "a\0b",
    "x" * 4000,
    "\U0001f600",
    "5d1ab0a0-0000-4000-8000-000000000000",
)
TABLES = ("cursors", "leases", "webhooks", "links", "attempts", "parked")


@pytest.fixture(scope="module")
def shared(module_database: Database) -> Iterator[Bridge]:
    with Bridge(MODE="sandbox", **module_database.settings) as bridge:
        yield bridge.wait_ready()


def counts(bridge: Bridge) -> dict[str, int]:
    """Rows by table, without the daemon's own lease."""
    found = {one: len(rows(bridge, f"SELECT 1 FROM {one}")) for one in TABLES}
    found["leases"] = len(rows(bridge, "SELECT 1 FROM leases WHERE name <> 'daemon'"))
    return found


# -- accounts that are not here --------------------------------------------------------------------


@pytest.mark.parametrize("stranger", STRANGERS, ids=lambda name: repr(name)[:20])
def test_nothing_is_kept_for_a_stranger(shared: Bridge, stranger: str) -> None:
    number = quote(stranger, safe="")
    before = counts(shared)
    for path in (f"/v1/webhooks/{number}", f"/v1/receive/{number}"):
        answer = shared.post(path, json=HOOK)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert answer.json()["error"].startswith("There is no account")
        assert len(answer.content) < 1000
    assert shared.get(f"/v1/webhooks/{number}").status_code == 404
    assert shared.get(f"/v1/webhooks/{number}/{number}").status_code == 404
    for query in ("", "&types=*", "&types=daemon.restarted"):
        answer = shared.get(f"/v1/receive/{number}?timeout=0{query}")
        assert answer.status_code == 400
    assert counts(shared) == before


def test_every_account_and_those_that_are_here_have_webhooks(shared: Bridge) -> None:
    for number in ("*", ALICE, ALICE[1:]):
        path = f"/v1/webhooks/{number}"
        assert shared.get(path).json() == []
        made = shared.post(path, json=HOOK)
        assert made.status_code == 201
        assert shared.delete(f"{path}/{made.json()['id']}").status_code == 204


def test_a_webhook_that_an_earlier_version_took_can_be_seen_and_removed(shared: Bridge) -> None:
    made = shared.post(f"/v1/webhooks/{ALICE}", json=HOOK).json()
    change(shared, "UPDATE webhooks SET account = 'nobody' WHERE id = :id", id=made["id"])
    assert [hook["id"] for hook in shared.get("/v1/webhooks/nobody").json()] == [made["id"]]
    assert shared.post("/v1/webhooks/nobody", json=HOOK).status_code == 404
    assert shared.delete(f"/v1/webhooks/nobody/{made['id']}").status_code == 204
    assert shared.get("/v1/webhooks/nobody").status_code == 404


def test_while_signal_cli_cannot_be_asked_nobody_is_told_that_an_account_is_not_here(
    start_bridge: Callable[..., Bridge], database: Database
) -> None:
    bridge = start_bridge(
        MODE="normal",
        BRIDGE_SIGNAL_CLI_RPC="tcp://127.0.0.1:9",
        BRIDGE_START_WAIT_SECONDS=0,
        **database.settings,
    )
    stranger = STRANGERS[0]
    made = bridge.post(f"/v1/webhooks/{stranger}", json=HOOK)
    assert made.status_code == 201
    assert bridge.get(f"/v1/receive/{stranger}?timeout=0").json() == []
    assert bridge.post("/v1/webhooks/ssrf", json=HOOK).status_code == 404


# -- many, of one who is here ----------------------------------------------------------------------


def test_any_number_of_filters_leave_a_hundred_cursors(shared: Bridge) -> None:
    say(shared, "hello")
    there = f"/v1/events?account={BOB}&types=message&timeout=10"
    assert shared.get(there).json()["events"]
    statuses = [
        shared.get(f"/v1/receive/{BOB}?timeout=0&types={kinds}").status_code
        for kinds in (f"message,{word}" for word in many_types(150))
    ]
    assert statuses.count(200) == 100
    assert statuses[100:] == [400] * 50
    assert shared.get(f"/v1/receive/{BOB}?timeout=0").status_code == 200
    assert len(rows(shared, "SELECT 1 FROM cursors WHERE account = :a", a=BOB)) == 101


def many_types(number: int) -> list[str]:
    """Lists of types, each another."""
    kinds = ("edit", "reaction", "delete", "story", "sync", "call", "receipt", "typing")
    return [
        ",".join(kind for bit, kind in enumerate(kinds) if one >> bit & 1)
        for one in range(1, number + 1)
    ]


@pytest.mark.parametrize("seq", [2**62, 2**63 - 1])
def test_an_acknowledgement_of_what_is_still_to_come_is_one_of_the_newest(
    shared: Bridge, seq: int
) -> None:
    say(shared, "hello")
    ahead = {"consumer": "eager", "seq": seq}
    assert shared.post("/v1/events/ack", json=ahead).status_code == 204
    shown = {one["consumer"]: one["seq"] for one in shared.get("/v1/events/consumers").json()}
    assert shown["eager"] < 10_000
    say(shared, "again")
    told = shared.get("/v1/events?consumer=eager&timeout=10").json()["events"]
    assert told[0]["seq"] > shown["eager"]


@pytest.mark.parametrize("seq", [2**63, -(2**64), 1.5, 1e3, "7", None, True, [1]])
def test_what_is_no_seq_acknowledges_nothing(shared: Bridge, seq: object) -> None:
    answer = shared.post("/v1/events/ack", json={"consumer": "odd", "seq": seq})
    assert answer.status_code == 400
    shown = shared.get("/v1/events/consumers").json()
    assert "odd" not in [one["consumer"] for one in shown]


def test_an_acknowledgement_can_be_taken_back(shared: Bridge) -> None:
    say(shared, "hello")
    shared.post("/v1/events/ack", json={"consumer": "hasty", "seq": 2**62})
    assert shared.delete("/v1/events/consumers/hasty").status_code == 204
    again = shared.delete("/v1/events/consumers/hasty")
    assert (again.status_code, again.json()["code"]) == (404, "not_found")
    assert shared.delete("/v1/events/consumers/a%20b").status_code == 400
    first = shared.get("/v1/events?consumer=hasty&limit=1").json()["events"][0]["seq"]
    shared.post("/v1/events/ack", json={"consumer": "hasty", "seq": first})
    shown = {one["consumer"]: one["seq"] for one in shared.get("/v1/events/consumers").json()}
    assert shown["hasty"] == first


def test_a_thousand_consumers_are_listed_and_no_more_can_be(shared: Bridge) -> None:
    there = len(shared.get("/v1/events/consumers").json())
    many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :most)"
    row = "SELECT 'consumer:many-' || i, '', 1, 4102444800000 FROM n"
    columns = "name, account, position, used_ms"
    change(shared, f"{many} INSERT INTO cursors ({columns}) {row}", most=1000 - there)
    assert len(shared.get("/v1/events/consumers").json()) == 1000
    more = {"consumer": "one-more", "seq": 1}
    answer = shared.post("/v1/events/ack", json=more)
    assert answer.status_code == 400
    assert "1000 consumers" in answer.json()["error"]
    assert shared.get("/v1/events?consumer=one-more&limit=1").status_code == 200
    assert shared.delete("/v1/events/consumers/many-1").status_code == 204
    assert shared.post("/v1/events/ack", json=more).status_code == 204
    change(shared, "DELETE FROM cursors WHERE name LIKE 'consumer:many-%'")


# -- accounts that are gone ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("DELETE", "/v1/devices/{}/local-data", {"ignore_registered": True}),
        ("POST", "/v1/unregister/{}", {"delete_local_data": True}),
    ],
)
def test_what_belongs_to_an_account_goes_with_its_data(
    start_bridge: Callable[..., Bridge], database: Database, method: str, path: str, body: object
) -> None:
    bridge = start_bridge(MODE="sandbox", **database.settings).wait_ready()
    keep(bridge, ALICE)
    keep(bridge, BOB)
    assert bridge.request(method, path.format(BOB), json=body).status_code == 204
    assert bridge.get(f"/v1/webhooks/{BOB}").json() == []
    assert len(bridge.get(f"/v1/webhooks/{ALICE}").json()) == 1
    assert {row.account for row in rows(bridge, "SELECT account FROM cursors")} == {ALICE}


def test_what_belongs_to_an_account_stays_when_it_is_only_unregistered(
    start_bridge: Callable[..., Bridge], database: Database
) -> None:
    bridge = start_bridge(MODE="sandbox", **database.settings).wait_ready()
    keep(bridge, BOB)
    assert bridge.post(f"/v1/unregister/{BOB}").status_code == 204
    eventually(
        lambda: bridge.get(f"/v1/accounts/{BOB}/status").json()["state"] == "unlinked",
        what="that it is unlinked",
    )
    assert len(bridge.get(f"/v1/webhooks/{BOB}").json()) == 1
    assert bridge.post(f"/v1/webhooks/{BOB}", json=HOOK).status_code == 200


def keep(bridge: Bridge, account: str) -> None:
    """A webhook and a cursor."""
    assert bridge.post(f"/v1/webhooks/{account}", json=HOOK).status_code == 201
    say(bridge, "hello", account)
    poll = f"/v1/receive/{account}?timeout=10&types=message"
    assert bridge.get(poll).json()


def say(bridge: Bridge, text: str, to: str = BOB) -> None:
    body = {"number": ALICE if to == BOB else BOB, "recipients": [to], "message": text}
    assert bridge.post("/v2/send", json=body).status_code == 201
