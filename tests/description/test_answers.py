"""Answers are as described: every test checks it by the way, and here that check is checked."""

from __future__ import annotations

import importlib
import pkgutil
import re
from typing import Any

import orjson
import pytest

from signal_bridge.delivery.webhooks.ledger import Tried
from signal_bridge.delivery.webhooks.payload import gap_notice, payload, trial
from signal_bridge.delivery.webhooks.post import Attempt
from signal_bridge.delivery.webhooks.progress import after_attempt
from signal_bridge.delivery.webhooks.schedule import Decision, Fate
from signal_bridge.delivery.webhooks.webhook import Webhook
from signal_bridge.errors import RateLimited
from signal_bridge.feed.event import Arrival, Event, Gap
from signal_bridge.session.rate_limits import RateLimitNotice
from signal_bridge.signalcli.call import Call
from signal_bridge.web import schemas
from signal_bridge.web.description.contents import name_of
from signal_bridge.web.schemas import examples
from signal_bridge.web.schemas.answers import AnswerSchema
from tests.support import Bridge, eventually
from tests.support.described import (
    check_answer,
    error_in,
    strict_document,
    strict_validator,
    validator_of,
)
from tests.webhooks.test_post import webhook

ANN = examples.ANN
FAILURE = {"error": "no", "code": "refused", "retryable": False, "request_id": "1"}
RATE_LIMIT = {**FAILURE, "account": ANN, "challenge_tokens": ["t"], "captcha_url": "https://…"}
UNREACHED = {"number": "+1", "reason": "UNREGISTERED_FAILURE"}
NOT_READY = {
    "status": "not ready",
    "error": "store: no",
    "code": "not_ready",
    "retryable": True,
    "request_id": "1",
    "reasons": {"store": "no"},
}


@pytest.mark.parametrize(
    ("method", "path", "status", "body"),
    [
        ("GET", "/livez", 200, {"status": "alive"}),
        ("GET", "/readyz", 200, {"status": "ready", "accounts": {"+1": "linked"}}),
        ("GET", "/readyz", 503, NOT_READY),
        ("POST", "/v2/send", 201, [{"timestamp": "1"}]),
        ("POST", "/v2/send", 201, {"timestamp": "1", "errors": {"recipients": [UNREACHED]}}),
        ("POST", "/v2/send", 429, RATE_LIMIT),
        ("POST", "/v1/register/%2B1", 400, {**FAILURE, "captcha_url": "https://…"}),
        ("GET", "/v1/receive/+1", 200, [{"envelope": {"of": "signal-cli"}, "account": "+1"}]),
        ("GET", "/no/such/route", 404, {"any": "thing"}),
    ],
)
def test_an_answer_as_described(method: str, path: str, status: int, body: Any) -> None:
    check_answer(method, path, status, orjson.dumps(body))


@pytest.mark.parametrize(
    ("method", "path", "status", "body"),
    [
        # a key that is not named, at the top, further down, in one of several forms
        ("GET", "/livez", 200, {"status": "alive", "more": 1}),
        ("POST", "/v2/send", 429, {**RATE_LIMIT, "more": 1}),
        ("POST", "/v2/send", 201, {"timestamp": "1", "more": 1}),
        (
            "POST",
            "/v2/send",
            400,
            {**FAILURE, "errors": {"recipients": [{**UNREACHED, "more": 1}]}},
        ),
        # a key that is missing
        ("GET", "/readyz", 503, {**NOT_READY, "request_id": None}),
        ("GET", "/readyz", 503, {"status": "not ready"}),
        ("POST", "/v2/send", 201, [{}]),
        # another type, another word
        ("POST", "/v2/send", 201, [{"timestamp": 1}]),
        ("GET", "/v1/about", 400, {**FAILURE, "outcome": "perhaps"}),
        # a status that is not described, and JSON where there is to be none
        ("GET", "/livez", 418, FAILURE),
        ("DELETE", "/v1/accounts/+1/pin", 204, {}),
    ],
)
def test_an_answer_that_is_not(method: str, path: str, status: int, body: Any) -> None:
    with pytest.raises(AssertionError, match=re.escape(f"{method} /")):
        check_answer(method, path, status, orjson.dumps(body))


def test_a_path_that_says_a_segment_comes_first() -> None:
    assert validator_of("get", "/v1/configuration", 200) is not None
    with pytest.raises(AssertionError, match=re.escape("/v1/search ")):
        check_answer("GET", "/v1/search", 418, b"[]")
    with pytest.raises(AssertionError, match=re.escape("/{number}/local-data ")):
        check_answer("DELETE", "/v1/devices/+1/local-data", 418, b"[]")


def test_every_answer_is_in_the_document() -> None:
    known = {
        name_of(value)
        for _, name, _ in pkgutil.iter_modules(schemas.__path__, f"{schemas.__name__}.")
        for key, value in vars(importlib.import_module(name)).items()
        if isinstance(value, type) and issubclass(value, AnswerSchema) and key[0] != "_"
    }
    assert known - {"Answer"} <= strict_document()["components"]["schemas"].keys()


def test_the_ids_of_examples_look_like_those_that_are_made(sandbox: Bridge) -> None:
    link = sandbox.post("/v1/link").json()
    hook = sandbox.post(f"/v1/webhooks/{ANN}", json={"url": "http://127.0.0.1:9/"}).json()
    event = eventually(lambda: sandbox.get("/v1/events").json()["events"])[0]
    refused = sandbox.get("/v1/link/none").json()
    for example, real in (
        (examples.LINK_ID, link["id"]),
        (examples.WEBHOOK_ID, hook["id"]),
        (examples.WEBHOOK_SECRET, hook["secret"]),
        (examples.EVENT_ID, event["id"]),
        (examples.REQUEST_ID, refused["request_id"]),
    ):
        prefix = re.match("([a-z]+_)?", example)
        assert prefix is not None
        assert real.startswith(prefix[0])
        assert len(real) == len(example)


# -- what is posted --------------------------------------------------------------------------------


def error_as_posted(kind: str, event: Event) -> str | None:
    """What is wrong with the event as it is posted."""
    media = strict_document()["webhooks"][kind]["post"]["requestBody"]["content"]
    validator = strict_validator(media["application/json"]["schema"])
    return error_in(validator, orjson.loads(payload(event, "standard")))


def test_what_signal_cli_tells_is_posted_as_described() -> None:
    body = {"envelope": {"source": "+1"}, "account": ANN, "exception": {"type": "Untrusted"}}
    event = Event(1, ANN, "error", 1, orjson.dumps(body), "evt_1")
    assert error_as_posted("message", event) is None
    assert error_as_posted("event", event) is not None


def test_what_the_bridge_says_of_itself_is_posted_as_described() -> None:
    hook = webhook("http://127.0.0.1:9/")
    assert error_as_posted("event", trial(hook)) is None
    assert error_as_posted("event", gap_notice(hook, Gap(3, 9))) is None
    assert error_as_posted("event", event_of(rate_limit_report())) is None
    for report in webhook_reports(hook):
        assert error_as_posted("event", event_of(report)) is None


def event_of(arrival: Arrival) -> Event:
    return Event(1, arrival.account, arrival.kind, 1, arrival.payload, "evt_1")


def rate_limit_report() -> Arrival:
    told: list[Arrival] = []
    feed: Any = type("Feed", (), {"append": lambda _, arrivals: told.extend(arrivals)})()
    data = {"response": {"results": [{"token": "t"}]}}
    RateLimitNotice(feed).on_refusal(Call("send", {"account": ANN}), RateLimited("no", -5, data))
    return told[0]


def webhook_reports(hook: Webhook) -> list[Arrival]:
    event = Event(1, ANN, "message", 1, b"{}", "evt_1")
    tried = Tried(1, 1, 0, Attempt(410, "", 5))
    decisions = (Decision(Fate.DISABLED, "410"), Decision(Fate.PARKED, "410"))
    marks = [after_attempt(hook, event, False, tried, one, now_ms=1) for one in decisions]
    return [report for mark in marks for report in mark.entry.reports]
