"""Every error has a status, and every answer the keys that are promised."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from flask import Flask

from signal_bridge import errors
from signal_bridge.errors import (
    BridgeError,
    CallTimedOut,
    ConnectionLost,
    DaemonError,
    DaemonUnavailable,
    Refused,
    StoreFull,
)
from signal_bridge.web.edge.problems import STATUSES, refused_as, status_of
from tests.test_errors import EVERY, names

# A class is made with what it needs; the rest takes a sentence.
SPECIAL: dict[str, tuple[Any, ...]] = {
    "BodyTooLarge": (1024,),
    "ConnectionLost": ("gone", False),
    "CallTimedOut": ("late", True),
    "DaemonBusy": (),
}

EXPECTED = {
    "NotFound": 404,
    "BodyTooLarge": 413,
    "TooManyParts": 413,
    "TooMuchJson": 413,
    "Busy": 503,
    "CallTooLarge": 413,
    "UnreadableBody": 415,
    "WebhookLoop": 508,
    "BusyForClient": 429,
    "RequestError": 400,
    "TooManyStreams": 503,
    "DaemonUnavailable": 503,
    "AccountNotLoaded": 503,
    "DaemonBusy": 503,
    "CallTimedOut": 504,
    "ConnectionLost": 502,
    "NonsenseReply": 502,
    "DaemonError": 502,
    "Refused": 400,
    "RateLimited": 400,
    "UntrustedIdentity": 400,
    "RecipientUnregistered": 400,
    "SignalUnreachable": 400,
    "CaptchaRequired": 400,
    "CaptchaRejected": 400,
    "UnknownAccount": 400,
    "AccountUnlinked": 400,
    "SignalCliOutdated": 400,
    "NotSupported": 501,
    "StoreFull": 507,
    "StoreUnavailable": 503,
    "StoreError": 503,
    "BridgeError": 500,
}


def made(kind: type[BridgeError]) -> BridgeError:
    if issubclass(kind, Refused):
        return kind("no", -1)
    usual = ("no", -1) if issubclass(kind, Refused) else ("a sentence",)
    return kind(*SPECIAL.get(kind.__name__, usual))


def answer_to(app: Flask, error: Exception) -> Any:
    """What a caller gets when a route ends with `error`."""

    def fail() -> str:
        raise error

    app.add_url_rule("/", view_func=fail)
    return app.test_client().get("/")


@pytest.mark.parametrize("kind", EVERY, ids=names(EVERY))
def test_every_error_is_answered_with_its_status_and_the_promised_keys(
    app: Flask, kind: type[BridgeError]
) -> None:
    error = made(kind)
    response = answer_to(app, error)
    assert response.status_code == status_of(error)
    assert 400 <= response.status_code < 600
    body = response.get_json()
    assert body["error"] == str(error)
    assert body["code"] == kind.code
    assert body["retryable"] is error.retryable
    assert body["request_id"] == "the-id"
    assert ("outcome" in body) is isinstance(error, DaemonError)


def test_a_sentence_does_not_send_all_back_that_was_sent(app: Flask) -> None:
    sentence = "Invalid phone number '" + "é" * 100_000
    shown = answer_to(app, errors.RequestError(sentence)).get_json()["error"]
    assert shown == f"{sentence[:2000]}…"


@pytest.mark.parametrize(("name", "status"), EXPECTED.items())
def test_the_status_is_what_the_contract_says(name: str, status: int) -> None:
    assert status_of(made(getattr(errors, name))) == status


def test_no_row_of_the_table_is_hidden_by_an_earlier_one() -> None:
    for at, (kind, _) in enumerate(STATUSES):
        assert not [one for one, _ in STATUSES[:at] if issubclass(kind, one)], kind


def test_what_the_sentence_leaves_out_is_in_the_log_under_the_requests_id(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    error = Refused("signal-cli failed", -32603, java_classes=["NullPointerException"])
    assert "NullPointerException" not in answer_to(app, error).get_data(as_text=True)
    assert "the-id signal-cli refused with -32603: NullPointerException" in caplog.messages


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (DaemonUnavailable("no"), "not_sent"),
        (ConnectionLost("gone", request_written=False), "not_sent"),
        (ConnectionLost("gone", request_written=True), "unknown"),
        (CallTimedOut("late", request_written=True), "unknown"),
        (CallTimedOut("late", request_written=False), "not_sent"),
        (errors.NonsenseReply("what"), "unknown"),
    ],
)
def test_an_answer_says_whether_signal_cli_may_have_done_it(
    app: Flask, error: DaemonError, outcome: str
) -> None:
    assert answer_to(app, error).get_json()["outcome"] == outcome


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (DaemonUnavailable("no", retry_after_seconds=7), "7"),
        (StoreFull("full"), "5"),
        (errors.Busy("full"), "5"),
        (errors.BusyForClient("full"), "5"),
        (Refused("no", -1), None),
        (Refused("no", -5, {"response": {"results": [{"retryAfterSeconds": 90}]}}), "90"),
        (errors.RequestError("no"), None),
        (CallTimedOut("late", request_written=True), None),
    ],
)
def test_an_answer_says_when_to_try_again_if_anybody_knows(
    app: Flask, error: BridgeError, seconds: str | None
) -> None:
    assert answer_to(app, error).headers.get("Retry-After") == seconds


def test_what_is_wrong_with_a_request_stands_beside_the_peers_text(app: Flask) -> None:
    error = errors.RequestError("no", fields={"a": "this is needed", "b[0]": "no such thing"})
    body = answer_to(app, error).get_json()
    assert body["error"] == "no"
    assert body["detail"] == "a: this is needed; b[0]: no such thing"
    assert body["fields"] == error.fields


def test_nothing_is_said_of_it_where_there_is_no_more_to_say(app: Flask) -> None:
    assert (
        answer_to(app, errors.RequestError("no")).get_json().keys().isdisjoint({"detail", "fields"})
    )


def test_a_defect_of_ours_shows_an_id_and_the_log_has_the_rest(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    response = answer_to(app, RuntimeError("SECRET"))
    assert response.status_code == 500
    assert response.get_json()["code"] == "internal_error"
    assert "the-id" in response.get_json()["error"]
    assert "SECRET" not in response.get_data(as_text=True)
    assert "SECRET" in caplog.text
    assert "the-id" in caplog.text


def test_one_route_may_answer_refusals_in_its_own_way(app: Flask) -> None:
    def fail() -> str:
        with refused_as(404, "Not there: "):
            raise Refused("no such group", -1)

    app.add_url_rule("/refused", view_func=fail)
    response = app.test_client().get("/refused")
    assert response.status_code == 404
    assert response.get_json()["error"] == "Not there: no such group"
    assert response.get_json()["code"] == "refused"


def test_other_errors_pass_such_a_route_unchanged() -> None:
    with pytest.raises(DaemonUnavailable), refused_as(404):
        raise DaemonUnavailable("no")


def test_what_is_no_route_is_the_peers_404(app: Flask) -> None:
    client = app.test_client()
    for response in (client.get("/nothing"), client.post("/nothing", data=b"x")):
        assert (response.status_code, response.data) == (404, b"404 page not found")
        assert response.headers["Content-Type"] == "text/plain"


def test_a_wrong_method_is_the_peers_404_too(app: Flask) -> None:
    app.add_url_rule("/there", view_func=lambda: "yes", methods=["GET"])
    assert app.test_client().delete("/there").status_code == 404


def test_a_slash_too_many_or_too_few_is_redirected(app: Flask) -> None:
    app.url_map.strict_slashes = True
    app.url_map.redirect_defaults = False
    app.add_url_rule("/there", view_func=lambda: "yes", methods=["GET", "POST"])
    client = app.test_client()
    response = client.get("/there/?a=b")
    assert (response.status_code, response.headers["Location"]) == (301, "/there?a=b")
    assert client.post("/there/").status_code == 307


@pytest.mark.parametrize(
    ("sent", "moved_to"),
    [
        ("/there/a%0D%0AX:%201/", "/there/a%0D%0AX:%201"),
        ("/there/+1%3Fa%23b%2525/", "/there/+1%3Fa%23b%2525"),
        ("/there/a/?b=\xff\xc3&c=%0A%FF+d", "/there/a?b=%FF%C3&c=%0A%FF+d"),
    ],
)
def test_a_redirect_asks_for_the_same_whatever_was_sent(
    app: Flask, sent: str, moved_to: str
) -> None:
    app.url_map.strict_slashes = True
    app.url_map.redirect_defaults = False
    app.add_url_rule("/there/<name>", view_func=lambda name: name, methods=["GET"])
    path, _, query = sent.partition("?")
    overrides = {"QUERY_STRING": query}  # as Gunicorn gives it, a character for each byte
    response = app.test_client().get(path, environ_overrides=overrides)
    assert (response.status_code, response.headers["Location"]) == (301, moved_to)


def test_trouble_with_the_daemon_is_logged_and_a_callers_mistake_is_not(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    answer_to(app, errors.RequestError("bad"))
    assert caplog.text == ""


def test_trouble_with_the_daemon_is_in_the_log_under_the_id(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    answer_to(app, DaemonUnavailable("it is away"))
    assert "the-id daemon_unavailable: it is away" in caplog.text
