"""Webhooks: who is told of what arrives, by HTTP.

The account `*` in the path stands for every account; RECEIVE_WEBHOOK_URL is a webhook of it, with
the id `env`. Times are milliseconds since the epoch.
"""

from __future__ import annotations

from typing import Any

from flask import jsonify
from flask.typing import ResponseReturnValue

from signal_bridge.delivery.webhooks.webhook import Webhook, shown_url
from signal_bridge.errors import RequestError
from signal_bridge.web.edge.context import bridge, client
from signal_bridge.web.edge.inputs import read_body, read_strict_body, required_number
from signal_bridge.web.edge.knownaccounts import find_account
from signal_bridge.web.schemas.webhooks import CHANGE, REPLAY, WEBHOOK


def create(number: str) -> ResponseReturnValue:
    """Register a webhook: `{"webhook": url}`, or `url`; it is told what comes after this. 201.

    Also `name`, `types` (words of events, `*` for many), `from` (numbers or ACIs), `format`
    (standard, or jsonrpc as signal-cli-rest-api posts it), `headers` (an object) and `secret`
    (`whsec_…`; one is made and shown, this once, when none is given). The same URL again is the
    same webhook with the fields changed: 200. 400 for what cannot be, and at the limits; 404 for an
    account that is not here and never was.
    """
    number = required_number(number)
    fields = _fields(read_body(WEBHOOK))
    if not fields.get("url"):
        raise RequestError("Couldn't process request - webhook missing")
    find_account(number)
    webhook, is_new = bridge().webhooks.create(number, fields)
    if not is_new:
        return jsonify(_answer(webhook))
    return jsonify({**_answer(webhook), "secret": webhook.secret}), 201


def list_all(number: str) -> ResponseReturnValue:
    """The webhooks of the account, oldest first. 404 for one that is not here and never was."""
    number = required_number(number)
    webhooks = bridge().webhooks.list_all(number)
    if not webhooks:
        find_account(number)
    return jsonify([_answer(webhook) for webhook in webhooks])


def get(number: str, webhook_id: str) -> ResponseReturnValue:
    """One webhook, with how many events wait for it and how many are parked."""
    number = required_number(number)
    webhook = bridge().webhooks.get(number, webhook_id)
    return jsonify(
        {
            **_answer(webhook),
            "waiting": bridge().feed.count_after(webhook.filter, webhook.position),
            "parked": bridge().webhooks.parked_count(webhook_id),
        }
    )


def change(number: str, webhook_id: str) -> ResponseReturnValue:
    """Change what is given, as in `create`; `paused` true stops it, false lets it go on.

    A new `secret` and the one before both sign for a day. Nothing that arrives in a pause is lost.
    """
    number = required_number(number)
    body = read_body(CHANGE)
    paused = body.pop("paused")
    return jsonify(_answer(bridge().webhooks.change(number, webhook_id, _fields(body), paused)))


def delete(number: str, webhook_id: str) -> ResponseReturnValue:
    """Remove the webhook, with its attempts and what is parked. 204."""
    bridge().webhooks.delete(required_number(number), webhook_id)
    return "", 204


def test(number: str, webhook_id: str) -> ResponseReturnValue:
    """Send a `webhook.test` event at once, signed. The status of the answer, how fast, how much.

    `answer`, its beginning, is empty unless BRIDGE_WEBHOOK_SHOW_ANSWERS says that it is shown.
    429 while this webhook is tested, or two by the same client; 503 while four are.
    """
    webhook = bridge().webhooks.get(required_number(number), webhook_id)
    attempt = bridge().trials.run(webhook, client())
    return jsonify(
        {
            "delivered": 200 <= attempt.status < 300,
            "status": attempt.status,
            "error": attempt.error,
            "duration_ms": attempt.duration_ms,
            "answer": attempt.answer,
            "answer_bytes": attempt.answer_bytes,
        }
    )


def list_attempts(number: str, webhook_id: str) -> ResponseReturnValue:
    """The last 100 attempts, newest first. Status 0: no answer came, and `error` says why.

    `answer` is empty unless BRIDGE_WEBHOOK_SHOW_ANSWERS said at that time, and says now, that it is
    shown.
    """
    shows_answers = bridge().webhooks.rules.shows_answers
    rows = bridge().webhooks.attempts(required_number(number), webhook_id)
    return jsonify(
        [
            {
                "seq": row.seq,
                "attempt": row.attempt,
                "at": row.at_ms,
                "duration_ms": row.duration_ms,
                "status": row.status,
                "error": row.error,
                "answer": row.answer if shows_answers else "",
            }
            for row in rows
        ]
    )


def list_parked(number: str, webhook_id: str) -> ResponseReturnValue:
    """The events that the receiver refused for good: the oldest 1000, oldest first."""
    rows = bridge().webhooks.list_parked(required_number(number), webhook_id)
    return jsonify(
        [
            {
                "seq": row.seq,
                "parked_at": row.parked_ms,
                "reason": row.reason,
                "replaying": row.wanted,
            }
            for row in rows
        ]
    )


def replay(number: str, webhook_id: str) -> ResponseReturnValue:
    """Deliver again: everything since a `seq` (`since`), one parked event (`seq`), or all parked.

    202 with the number of events. Each has the `webhook-id` that it had.
    """
    number = required_number(number)
    body = read_strict_body(REPLAY)
    webhooks = bridge().webhooks
    if body["since"] is None:
        return jsonify({"events": webhooks.replay_parked(number, webhook_id, body["seq"])}), 202
    if body["seq"] is not None:
        raise RequestError("Couldn't process request - either since or seq, not both")
    webhook = webhooks.replay_since(number, webhook_id, body["since"])
    return jsonify({"events": bridge().feed.count_after(webhook.filter, webhook.position)}), 202


def _fields(body: dict[str, Any]) -> dict[str, Any]:
    """`webhook` is another name for the URL."""
    named = {"url": body["webhook"]} if "webhook" in body else {}
    return {**named, **{key: value for key, value in body.items() if key != "webhook"}}


def _answer(webhook: Webhook) -> dict[str, Any]:
    """Without secrets: no password of the URL, no values of headers, no signing secret."""
    return {
        "id": webhook.id,
        "account": webhook.account,
        "name": webhook.name,
        "url": shown_url(webhook.url),
        "types": webhook.types,
        "from": webhook.senders,
        "format": webhook.format,
        "headers": dict.fromkeys(webhook.headers, "***"),
        "state": webhook.state,
        "detail": webhook.detail,
        "created_at": webhook.created_ms,
        "position": webhook.position,
        "failed_attempts": webhook.attempt,
        "next_attempt_at": webhook.next_attempt_ms or None,
        "failing_since": webhook.failing_since_ms or None,
    }
