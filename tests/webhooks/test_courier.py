"""Couriers over a real database, against real receivers."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from signal_bridge.clock import now_ms
from signal_bridge.delivery.webhooks import scribe
from signal_bridge.delivery.webhooks.post import Attempt, Poster
from signal_bridge.delivery.webhooks.webhook import Webhook
from signal_bridge.feed.event import Event
from signal_bridge.feed.filters import Filter
from signal_bridge.store.tables import attempts, events, webhooks
from tests.support import eventually
from tests.support.databases import POSTGRESQL, SQLITE, Database
from tests.webhooks.conftest import ACCOUNT, SENDER, Desk
from tests.webhooks.receiver import Answer, Handler, Post, Receiver, status
from tests.webhooks.test_signature import verifies

DAY_MS = 24 * 3600 * 1000
_REFUSE_ATTEMPTS = {
    SQLITE: (
        "CREATE TRIGGER no BEFORE INSERT ON attempts "
        "BEGIN SELECT RAISE(FAIL, 'database is locked'); END",
    ),
    POSTGRESQL: (
        "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql "
        "AS 'BEGIN RAISE EXCEPTION USING ERRCODE = ''55P03''; END'",
        "CREATE TRIGGER no BEFORE INSERT ON attempts EXECUTE FUNCTION no()",
    ),
}
_ALLOW_ATTEMPTS = {SQLITE: "DROP TRIGGER no", POSTGRESQL: "DROP TRIGGER no ON attempts"}


def texts(posts: list[Post]) -> list[str]:
    return [post.text for post in posts]


def numbered(count: int) -> list[str]:
    return [str(number) for number in range(count)]


def own_events(desk: Desk, *kinds: str) -> list[Event]:
    return desk.feed.read(Filter(kinds=kinds), 0, 100)


class Gate:
    """Answers that wait until the test lets them go."""

    def __init__(self) -> None:
        self.open = threading.Event()

    def before(self, answer: Answer) -> Answer:
        def give(handler: Handler) -> None:
            self.open.wait(30)
            answer(handler)

        return give


@pytest.fixture
def gate() -> Gate:
    return Gate()


# -- the normal path -------------------------------------------------------------------------------


def test_events_come_once_in_order_and_signed(desk: Desk, receiver: Receiver) -> None:
    desk.tell("before the registration")
    webhook = desk.register(receiver.url)
    desk.tell(*numbered(120))
    desk.start()
    desk.wait_position(webhook, 121)
    assert texts(receiver.posts) == numbered(120)
    assert len({post.id for post in receiver.posts}) == 120
    assert [post.json["seq"] for post in receiver.posts] == list(range(2, 122))
    assert all(post.json["account"] == ACCOUNT for post in receiver.posts)
    assert all(verifies(webhook.secret, post.headers, post.body) for post in receiver.posts)


def test_what_arrives_while_it_waits_is_posted(desk: Desk, receiver: Receiver) -> None:
    desk.register(receiver.url)
    desk.start()
    for number in range(5):
        desk.tell(str(number))
        receiver.wait_for(number + 1)
    assert texts(receiver.posts) == numbered(5)


def test_a_webhook_registered_later_is_served(desk: Desk, receiver: Receiver) -> None:
    desk.start()
    desk.register(receiver.url)
    desk.tell("hello")
    assert texts(receiver.wait_for(1)) == ["hello"]


def test_two_webhooks_are_independent(
    desk: Desk, receive: Callable[[], Receiver], gate: Gate
) -> None:
    sleeping, awake = receive(), receive()
    sleeping.answers = [gate.before(status(204))]
    desk.register(sleeping.url)
    desk.register(awake.url)
    desk.start()
    desk.tell(*numbered(60))
    assert texts(awake.wait_for(60)) == numbered(60)
    assert texts(sleeping.wait_for(1)) == ["0"]
    gate.open.set()
    assert texts(sleeping.wait_for(60)) == numbered(60)


def test_a_sleeping_receiver_slows_nobody_who_writes(
    desk: Desk, receiver: Receiver, gate: Gate
) -> None:
    receiver.otherwise = gate.before(status(204))
    desk.register(receiver.url)
    desk.start()
    desk.tell("wakes it")
    receiver.wait_for(1)
    desk.tell(*numbered(300))
    assert desk.feed.newest_seq() == 301
    gate.open.set()


def test_only_what_is_wanted_is_posted(desk: Desk, receiver: Receiver) -> None:
    webhook = desk.register(receiver.url, types=["message"], senders=[SENDER])
    desk.tell("from the other", sender="+1")
    desk.arrive({"typingMessage": {"action": "STARTED"}})
    desk.tell("of another account", account="+2")
    desk.tell("this one")
    desk.start()
    desk.wait_position(webhook, 4)
    assert texts(receiver.posts) == ["this one"]


def test_every_account_is_one_webhook(desk: Desk, receiver: Receiver) -> None:
    desk.register(receiver.url, account="*")
    desk.tell("one", account="+1")
    desk.tell("two", account="+2")
    desk.start()
    assert [post.json["account"] for post in receiver.wait_for(2)] == ["+1", "+2"]


def test_the_peers_line_is_posted_whole(desk: Desk, receiver: Receiver) -> None:
    desk.register(receiver.url, format="jsonrpc")
    desk.tell("hello")
    desk.start()
    [post] = receiver.wait_for(1)
    assert post.body.endswith(b"}\n")
    assert post.json["jsonrpc"] == "2.0"
    assert post.json["method"] == "receive"
    assert set(post.json["params"]) == {"account", "envelope"}
    assert post.headers["content-type"] == "application/json"


def test_a_position_follows_a_feed_that_is_not_for_it(desk: Desk, receiver: Receiver) -> None:
    webhook = desk.register(receiver.url, senders=[SENDER])
    desk.tell(*numbered(1200), sender="+1")
    desk.start()
    desk.wait_position(webhook, 1200)
    desk.tell("for it")
    assert [post.json["seq"] for post in receiver.wait_for(1)] == [1201]


# -- failures --------------------------------------------------------------------------------------


def test_a_failure_that_passes_keeps_order_and_id(desk: Desk, receiver: Receiver) -> None:
    receiver.answers = [status(500), status(502), status(302, Location="/"), status(429)]
    webhook = desk.register(receiver.url)
    desk.tell("first", "second")
    desk.start()
    desk.wait_position(webhook, 2)
    assert texts(receiver.posts) == ["first"] * 5 + ["second"]
    assert len({post.id for post in receiver.posts[:5]}) == 1
    tried = desk.registry.attempts(ACCOUNT, webhook.id)
    assert [(row.seq, row.attempt, row.status) for row in reversed(tried)] == [
        (1, 1, 500), (1, 2, 502), (1, 3, 302), (1, 4, 429), (1, 5, 204), (2, 1, 204),
    ]  # fmt: skip
    after = desk.get(webhook)
    assert (after.attempt, after.next_attempt_ms, after.failing_since_ms) == (0, 0, 0)


def test_a_receiver_that_is_down_gets_everything_once_it_is_up(
    desk: Desk, receiver: Receiver
) -> None:
    down = desk.register("http://127.0.0.1:1/")
    desk.tell(*numbered(3))
    desk.start(waits_seconds=(0.05,) * 1000)
    eventually(lambda: desk.get(down).attempt > 2)
    assert desk.get(down).failing_since_ms > 0
    desk.registry.change(ACCOUNT, down.id, {"url": receiver.url})
    assert texts(receiver.wait_for(3)) == numbered(3)


def test_what_is_refused_for_good_is_parked(desk: Desk, receiver: Receiver) -> None:
    receiver.answers = [status(204), status(400, b"no such chat"), status(204)]
    webhook = desk.register(receiver.url, name="bot")
    desk.tell("good", "bad", "good again")
    desk.start()
    desk.wait_position(webhook, 3)
    assert texts(receiver.posts) == ["good", "bad", "good again"]
    [row] = desk.registry.list_parked(ACCOUNT, webhook.id)
    assert (row.seq, row.reason, row.wanted) == (2, "the receiver answered 400", False)
    [told] = eventually(lambda: own_events(desk, "webhook.parked"))
    assert told.account == ACCOUNT
    assert f'"webhook":"{webhook.id}","name":"bot","seq":2'.encode() in told.payload


def test_after_the_last_try_an_event_is_parked(desk: Desk, receiver: Receiver) -> None:
    receiver.answers = [status(500)] * 3
    webhook = desk.register(receiver.url)
    desk.tell("hopeless", "fine")
    desk.start(waits_seconds=(0.01, 0.01))
    desk.wait_position(webhook, 2)
    assert texts(receiver.posts) == ["hopeless"] * 3 + ["fine"]
    [row] = desk.registry.list_parked(ACCOUNT, webhook.id)
    assert row.reason == "the receiver answered 500, at the last of 3 tries"


def test_a_report_that_is_refused_is_not_reported(desk: Desk, receiver: Receiver) -> None:
    receiver.otherwise = status(400)
    webhook = desk.register(receiver.url, types=["*"])
    desk.tell("refused")
    desk.start()
    desk.wait_position(webhook, 2)  # the message, then the report of it
    desk.stop()
    assert len(own_events(desk, "webhook.parked")) == 1
    assert [row.seq for row in desk.registry.list_parked(ACCOUNT, webhook.id)] == [1, 2]


def test_410_disables_and_a_registration_resumes(desk: Desk, receiver: Receiver) -> None:
    receiver.answers = [status(204), status(410)]
    webhook = desk.register(receiver.url)
    desk.tell("taken", "gone")
    desk.start()
    eventually(lambda: desk.get(webhook).state == "disabled")
    assert desk.get(webhook).detail == "the receiver answered 410"
    [told] = eventually(lambda: own_events(desk, "webhook.disabled"))
    assert told.account == ACCOUNT
    desk.tell("later")
    desk.register(receiver.url)
    assert texts(receiver.wait_for(4)) == ["taken", "gone", "gone", "later"]


@pytest.mark.parametrize("code", [500, 400])
def test_five_days_without_a_success_disable(desk: Desk, receiver: Receiver, code: int) -> None:
    receiver.answers = [status(code)]
    webhook = desk.register(receiver.url)
    with desk.store.write() as connection:
        long_ago = now_ms() - 5 * DAY_MS - 1000
        connection.execute(sa.update(webhooks).values(failing_since_ms=long_ago))
    desk.tell("hello")
    desk.start()
    eventually(lambda: desk.get(webhook).state == "disabled")
    assert "no success for five days" in desk.get(webhook).detail
    desk.registry.change(ACCOUNT, webhook.id, {}, paused=False)
    assert texts(receiver.wait_for(2)) == ["hello", "hello"]


def test_retry_after_is_honoured(desk: Desk, receiver: Receiver) -> None:
    receiver.answers = [status(503, Retry_After="3600")]
    webhook = desk.register(receiver.url)
    desk.tell("hello")
    before_ms = now_ms()
    desk.start()
    eventually(lambda: desk.get(webhook).next_attempt_ms)
    assert before_ms + 3_590_000 < desk.get(webhook).next_attempt_ms < before_ms + 3_690_000
    assert len(receiver.posts) == 1


def test_a_pause_shorter_than_the_schedules_costs_no_try(desk: Desk, receiver: Receiver) -> None:
    receiver.answers = [status(503, Retry_After="1")]
    webhook = desk.register(receiver.url)
    desk.tell("hello")
    desk.start(waits_seconds=(3600,))
    receiver.wait_for(2)
    desk.wait_position(webhook, 1)
    tried = desk.registry.attempts(ACCOUNT, webhook.id)
    assert [(row.attempt, row.status) for row in tried] == [(1, 204), (1, 503)]


def test_an_event_nobody_can_write_is_parked(desk: Desk, receiver: Receiver) -> None:
    webhook = desk.register(receiver.url)
    desk.tell("broken", "whole")
    with desk.store.write() as connection:
        connection.execute(sa.update(events).where(events.c.seq == 1).values(payload=b"{"))
    desk.start()
    assert texts(receiver.wait_for(1)) == ["whole"]
    desk.wait_position(webhook, 2)
    assert [row.seq for row in desk.registry.list_parked(ACCOUNT, webhook.id)] == [1]


def test_events_that_were_removed_are_told_as_a_gap(desk: Desk, receiver: Receiver) -> None:
    webhook = desk.register(receiver.url)
    desk.tell(*numbered(4))
    desk.remove(through=3)
    desk.start()
    gap, rest = receiver.wait_for(2)
    assert gap.json == {"event": "gap", "account": ACCOUNT, "from": 1, "to": 3, "seq": 3}
    assert rest.text == "3"
    desk.wait_position(webhook, 4)


def test_what_was_removed_before_a_webhook_was_registered_is_no_gap(
    desk: Desk, receiver: Receiver
) -> None:
    desk.tell("one", "two", "three")
    desk.remove(through=3)
    desk.register(receiver.url)
    desk.start()
    desk.tell("four")
    [first] = receiver.wait_for(1)
    assert first.text == "four"


def test_in_the_peers_format_a_gap_is_passed_over(desk: Desk, receiver: Receiver) -> None:
    webhook = desk.register(receiver.url, format="jsonrpc")
    desk.tell(*numbered(2))
    desk.remove(through=1)
    desk.start()
    [post] = receiver.wait_for(1)
    assert post.json["params"]["envelope"]["dataMessage"]["message"] == "1"
    desk.wait_position(webhook, 2)


def test_a_receiver_that_is_overtaken_is_told_in_its_turn_and_once(
    desk: Desk, receiver: Receiver, gate: Gate
) -> None:
    receiver.answers = [status(204)] * 9 + [gate.before(status(204))]
    webhook = desk.register(receiver.url)
    desk.tell(*numbered(1000))
    desk.start()
    receiver.wait_for(10)
    desk.remove(through=990)
    gate.open.set()
    desk.wait_position(webhook, 1000)
    gaps = [post.json for post in receiver.posts if "event" in post.json]
    told = [post.json["seq"] for post in receiver.posts]
    assert [(gap["event"], gap["to"]) for gap in gaps] == [("gap", 990)]
    assert told == [*range(1, gaps[0]["from"]), *range(990, 1001)], "nothing else is missing"


def test_one_that_waits_to_try_again_is_told_what_was_removed(
    desk: Desk, receiver: Receiver
) -> None:
    receiver.answers = [status(500)]
    webhook = desk.register(receiver.url)
    desk.tell(*numbered(3))
    desk.start(waits_seconds=(3600,))
    eventually(lambda: desk.get(webhook).next_attempt_ms)
    desk.remove(through=3)  # all there is
    desk.registry.change(ACCOUNT, webhook.id, {}, paused=False)
    _failed, gap = receiver.wait_for(2)
    assert gap.json == {"event": "gap", "account": ACCOUNT, "from": 1, "to": 3, "seq": 3}
    desk.wait_position(webhook, 3)
    desk.tell("after it")
    assert texts(receiver.wait_for(3)[2:]) == ["after it"]


def test_a_gap_that_is_not_taken_is_told_again_and_not_twice(
    desk: Desk, receiver: Receiver
) -> None:
    receiver.answers = [status(500), status(503)]
    webhook = desk.register(receiver.url)
    desk.tell(*numbered(3))
    desk.remove(through=2)
    desk.start()
    desk.wait_position(webhook, 3)
    assert [post.json["seq"] for post in receiver.posts] == [2, 2, 2, 3]
    assert len({post.id for post in receiver.posts}) == 2


def test_a_gap_that_is_refused_is_not_kept_for_replay(desk: Desk, receiver: Receiver) -> None:
    receiver.answers = [status(400)]
    webhook = desk.register(receiver.url)
    desk.tell(*numbered(2))
    desk.remove(through=1)
    desk.start()
    desk.wait_position(webhook, 2)
    assert parked(desk, webhook.id) == []


@pytest.mark.parametrize(
    "answer",
    [
        status(400, b"\0\xff\xed\xa0\x80 \x1b[2J\r\n"),
        status(400, b"\xff" * 5000),
        status(400, "\U0001f600".encode("utf-16")),
        status(400, Retry_After="\xff\xa0"),
        status(999),
    ],
)
def test_whatever_a_receiver_answers_the_next_event_has_its_turn(
    desk: Desk, receiver: Receiver, answer: Answer
) -> None:
    receiver.answers = [answer, answer, answer]
    webhook = desk.register(receiver.url)
    desk.tell("odd", "even")
    desk.start(waits_seconds=(0.01, 0.01))
    desk.wait_position(webhook, 2)
    assert texts(receiver.posts)[-1] == "even"
    assert desk.registry.attempts(ACCOUNT, webhook.id)


def test_a_defect_in_one_courier_is_no_others(
    desk: Desk,
    receive: Callable[[], Receiver],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    hit, other = receive(), receive()
    webhook = desk.register(hit.url)
    desk.register(other.url)
    post = Poster.post
    broken = True

    def fail(poster: Poster, hook: Webhook, *rest: bytes) -> Attempt:
        if broken and hook.id == webhook.id:
            raise ZeroDivisionError
        return post(poster, hook, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Poster, "post", fail)
    desk.start()
    desk.tell(*numbered(3))
    assert texts(other.wait_for(3)) == numbered(3)
    assert hit.posts == []
    complaint = f"webhook {webhook.id} failed in a way nobody expected"
    eventually(lambda: complaint in caplog.text)
    broken = False
    assert texts(hit.wait_for(3)) == numbered(3)


# -- restarts --------------------------------------------------------------------------------------


def test_a_restart_in_the_middle_loses_nothing(desk: Desk, receiver: Receiver) -> None:
    webhook = desk.register(receiver.url)
    desk.tell(*numbered(200))
    desk.start()
    receiver.wait_for(30)
    desk.stop()
    stopped_at = len(receiver.posts)
    assert desk.get(webhook).position == stopped_at
    desk.start()
    desk.wait_position(webhook, 200)
    assert texts(receiver.posts) == numbered(200)


def test_a_restart_keeps_the_schedule(desk: Desk, receiver: Receiver) -> None:
    receiver.answers = [status(500), status(500)]
    webhook = desk.register(receiver.url)
    desk.tell("hello")
    desk.start(waits_seconds=(0.01, 3600, 3600))
    eventually(lambda: desk.get(webhook).attempt == 2)
    desk.stop()
    waiting = desk.get(webhook)
    desk.start()
    desk.tell("more")
    eventually(lambda: desk.serves(webhook))
    desk.stop()
    assert desk.get(webhook) == waiting
    assert len(receiver.posts) == 2


def test_a_stop_cuts_off_what_does_not_end_and_repeats_it(
    desk: Desk, receiver: Receiver, gate: Gate
) -> None:
    receiver.answers = [status(204), gate.before(status(204))]
    webhook = desk.register(receiver.url)
    desk.tell("done", "in flight")
    desk.start()
    receiver.wait_for(2)
    desk.stop()
    after = desk.get(webhook)
    assert (after.position, after.attempt, after.failing_since_ms) == (1, 0, 0)
    gate.open.set()
    desk.start()
    desk.wait_position(webhook, 2)
    assert texts(receiver.posts) == ["done", "in flight", "in flight"]
    assert receiver.posts[1].id == receiver.posts[2].id


def test_after_a_crash_a_doubled_delivery_has_its_id(desk: Desk, receiver: Receiver) -> None:
    webhook = desk.register(receiver.url)
    desk.tell("one", "two")
    desk.start()
    desk.wait_position(webhook, 2)
    desk.stop()
    with desk.store.write() as connection:  # as if the last group had not been written
        connection.execute(sa.update(webhooks).values(position=0))
    desk.start()
    posts = receiver.wait_for(4)
    assert [post.id for post in posts[:2]] == [post.id for post in posts[2:]]


def test_a_database_that_cannot_be_written_loses_none(
    desk: Desk, receiver: Receiver, caplog: pytest.LogCaptureFixture, database: Database
) -> None:
    webhook = desk.register(receiver.url)
    desk.start()
    with desk.store.write() as connection:
        for statement in _REFUSE_ATTEMPTS[database.kind]:
            connection.execute(sa.text(statement))
    desk.tell(*numbered(200))
    eventually(lambda: "waits for the database" in caplog.text)
    with desk.store.write() as connection:
        connection.execute(sa.text(_ALLOW_ATTEMPTS[database.kind]))
    desk.wait_position(webhook, 200)
    assert texts(receiver.posts) == numbered(200)
    with desk.store.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(attempts)) == 100


def test_who_takes_over_goes_on_and_the_other_writes_nothing_more(
    desk: Desk,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As when a bridge is cut off between a delivery and the mark of it."""
    monkeypatch.setattr(scribe, "_GATHER_SECONDS", 3600.0)
    webhook = desk.register(receiver.url)
    desk.start(lease=desk.lease("the first"))
    desk.tell("one", "two")
    receiver.wait_for(2)
    first = desk.leave()
    monkeypatch.undo()
    desk.start(lease=desk.lease("the second"))
    desk.tell("three")
    desk.wait_position(webhook, 3)
    first.stop()
    assert texts(receiver.posts)[:5].count("one") == 2
    assert receiver.posts[0].id == next(one for one in receiver.posts[1:] if one.text == "one").id
    assert desk.get(webhook).position == 3
    assert caplog.text.count("deliveries end here") == 1


def test_one_that_has_lost_the_lease_delivers_no_more(desk: Desk, receiver: Receiver) -> None:
    webhook = desk.register(receiver.url)
    desk.start(lease=desk.lease("the first"))
    desk.tell("one")
    desk.wait_position(webhook, 1)
    desk.lease("the second")
    desk.tell("delivered, and not written")
    receiver.wait_for(2)
    eventually(lambda: not [t for t in threading.enumerate() if t.name.startswith("courier-")])
    desk.tell("for the second")
    desk.start_another()
    assert texts(receiver.wait_for(4)[2:]) == ["delivered, and not written", "for the second"]


# -- changes while it runs -------------------------------------------------------------------------


def test_a_pause_loses_nothing(desk: Desk, receiver: Receiver) -> None:
    webhook = desk.register(receiver.url)
    desk.start()
    desk.tell("before")
    receiver.wait_for(1)
    desk.registry.change(ACCOUNT, webhook.id, {}, paused=True)
    eventually(lambda: not desk.serves(webhook))
    desk.tell("during")
    desk.registry.change(ACCOUNT, webhook.id, {}, paused=False)
    assert texts(receiver.wait_for(2)) == ["before", "during"]


def test_a_webhook_that_is_deleted_is_told_no_more(desk: Desk, receiver: Receiver) -> None:
    webhook = desk.register(receiver.url)
    desk.start()
    desk.tell("before")
    receiver.wait_for(1)
    desk.registry.delete(ACCOUNT, webhook.id)
    eventually(lambda: not desk.serves(webhook))
    desk.tell("after")
    assert texts(receiver.posts) == ["before"]


def test_a_new_url_is_used_in_the_middle_of_a_wait(
    desk: Desk, receive: Callable[[], Receiver]
) -> None:
    broken, whole = receive(), receive()
    broken.otherwise = status(500)
    webhook = desk.register(broken.url)
    desk.tell("hello")
    desk.start(waits_seconds=(3600,))
    eventually(lambda: desk.get(webhook).next_attempt_ms)
    desk.registry.change(ACCOUNT, webhook.id, {"url": whole.url}, paused=False)
    assert texts(whole.wait_for(1)) == ["hello"]


def test_a_pause_under_load_doubles_nothing(desk: Desk, receiver: Receiver) -> None:
    webhook = desk.register(receiver.url)
    desk.tell(*numbered(200))
    desk.start()
    for count in (20, 60, 100):
        receiver.wait_for(count)
        desk.registry.change(ACCOUNT, webhook.id, {}, paused=True)
        desk.registry.change(ACCOUNT, webhook.id, {"name": str(count)}, paused=False)
    desk.wait_position(webhook, 200)
    assert texts(receiver.posts) == numbered(200)


@pytest.mark.parametrize("how", ["since", "resume", "parked"])
def test_what_a_caller_wants_at_once_outlives_an_attempt_that_fails_meanwhile(
    desk: Desk, receiver: Receiver, gate: Gate, how: str
) -> None:
    receiver.answers = [status(400), gate.before(status(500))]
    webhook = desk.register(receiver.url)
    desk.tell("parked", "fails")
    desk.start(waits_seconds=(3600,))
    receiver.wait_for(2)
    desk.wait_position(webhook, 1)
    if how == "since":
        desk.registry.replay_since(ACCOUNT, webhook.id, 2)
    elif how == "resume":
        desk.registry.change(ACCOUNT, webhook.id, {}, paused=False)
    else:
        desk.registry.replay_parked(ACCOUNT, webhook.id)
    gate.open.set()
    again = ["parked", "fails"] if how == "parked" else ["fails"]
    assert texts(receiver.wait_for(2 + len(again))) == ["parked", "fails", *again]
    desk.wait_position(webhook, 2)


def test_a_replay_in_the_middle_of_a_burst_delivers_all_of_it_again(
    desk: Desk, receiver: Receiver
) -> None:
    webhook = desk.register(receiver.url)
    desk.tell(*numbered(100))
    desk.start()
    receiver.wait_for(30)
    desk.registry.replay_since(ACCOUNT, webhook.id, 1)
    desk.wait_position(webhook, 100)
    desk.stop()
    told = texts(receiver.posts)
    assert told[-100:] == numbered(100)
    assert told[:-100] == numbered(len(told) - 100)


def test_everything_since_a_seq_is_replayed(desk: Desk, receiver: Receiver) -> None:
    webhook = desk.register(receiver.url)
    desk.tell(*numbered(4))
    desk.start()
    desk.wait_position(webhook, 4)
    desk.registry.replay_since(ACCOUNT, webhook.id, 3)
    posts = receiver.wait_for(6)
    assert texts(posts) == ["0", "1", "2", "3", "2", "3"]
    assert [post.id for post in posts[2:4]] == [post.id for post in posts[4:]]


def test_parked_events_are_replayed_one_or_all(desk: Desk, receiver: Receiver) -> None:
    receiver.answers = [status(400)] * 3
    webhook = desk.register(receiver.url)
    desk.tell("a", "b", "c", "d")
    desk.start()
    desk.wait_position(webhook, 4)
    assert desk.registry.replay_parked(ACCOUNT, webhook.id, 2) == 1
    assert texts(receiver.wait_for(5))[4:] == ["b"]
    eventually(lambda: parked(desk, webhook.id) == [1, 3])
    assert desk.registry.replay_parked(ACCOUNT, webhook.id) == 2
    assert texts(receiver.wait_for(7))[5:] == ["a", "c"]
    eventually(lambda: parked(desk, webhook.id) == [])
    assert receiver.posts[0].id == receiver.posts[5].id
    assert desk.get(webhook).position == 4


def test_a_replay_that_is_refused_again_stays_parked(desk: Desk, receiver: Receiver) -> None:
    receiver.answers = [status(400), status(422)]
    webhook = desk.register(receiver.url)
    desk.tell("bad")
    desk.start()
    desk.wait_position(webhook, 1)
    desk.registry.replay_parked(ACCOUNT, webhook.id)
    eventually(
        lambda: (
            [row.reason for row in desk.registry.list_parked(ACCOUNT, webhook.id)]
            == ["the receiver answered 422"]
        )
    )
    assert not desk.registry.list_parked(ACCOUNT, webhook.id)[0].wanted
    desk.tell("good")
    assert texts(receiver.wait_for(3))[2:] == ["good"]


def test_a_replay_ends_a_wait(desk: Desk, receiver: Receiver) -> None:
    receiver.answers = [status(400), status(500)]
    webhook = desk.register(receiver.url)
    desk.tell("parked", "waits")
    desk.start(waits_seconds=(3600,))
    eventually(lambda: desk.get(webhook).next_attempt_ms)
    desk.registry.replay_parked(ACCOUNT, webhook.id)
    assert texts(receiver.wait_for(4)) == ["parked", "waits", "parked", "waits"]


def parked(desk: Desk, webhook_id: str) -> list[int]:
    return [row.seq for row in desk.registry.list_parked(ACCOUNT, webhook_id)]
