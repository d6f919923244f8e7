"""Sending (rest-surface.rst 4): read, decide, spool, run, answer."""

from __future__ import annotations

import dataclasses
from typing import Any, Final

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from signal_bridge.errors import (
    DaemonError,
    RateLimited,
    RecipientUnregistered,
    Refused,
    RequestError,
    SignalUnreachable,
)
from signal_bridge.signalcli import contacts, drafts, refusals, results
from signal_bridge.signalcli.drafts import Draft
from signal_bridge.web.edge.context import bridge
from signal_bridge.web.edge.forms import read_form
from signal_bridge.web.edge.inputs import read_body
from signal_bridge.web.edge.problems import problem
from signal_bridge.web.edge.uploads import attachment_file
from signal_bridge.web.routes.default_account import default_account
from signal_bridge.web.schemas.messages import SEND, SEND_V1

# signal-cli's result and, for one entry per request, the array the peer puts around it (0.101).
_ARRAY_SINCE: Final = "0.101"


def send() -> ResponseReturnValue:
    """Send a message, its attachments or a reaction to numbers, usernames or one group. 201.

    Takes JSON, and `multipart/form-data` with `recipients[]` and `attachment` repeated. Without
    `number` it is DEFAULT_ACCOUNT that sends, or the only account. Answers the message's timestamp
    (ms) as a text, and under `errors.recipients` whom it did not reach and why. 400 when it reached
    nobody or cannot be sent, 429 with `challenge_tokens` when Signal wants a captcha first.
    """
    here = bridge()
    draft = drafts.decide(_read_draft(), default_account, here.settings.default_text_mode)
    draft = _with_files(draft)
    try:
        result = here.gateway.run(drafts.send(draft))
    except Refused as error:
        return _refusal(error, draft.account)
    answer = results.send_answer(result)
    return jsonify([answer] if here.settings.compat == _ARRAY_SINCE else answer), 201


def send_v1() -> ResponseReturnValue:
    """The peer's deprecated way to send: at most one attachment, no styles. 201.

    Without `number` it is DEFAULT_ACCOUNT that sends, or the only account. 400 when it cannot be
    sent, or reached nobody.
    """
    draft, is_group = read_body(SEND_V1)
    draft = _with_files(drafts.decide_v1(draft, default_account, is_group))
    return jsonify(results.send_answer(bridge().gateway.run(drafts.send(draft)))), 201


def _read_draft() -> Draft:
    """The body, JSON or a form, whose files lie in the spool already."""
    if request.mimetype != "multipart/form-data":
        draft: Draft = read_body(SEND)
        return draft
    draft, files = read_form(SEND)
    return dataclasses.replace(draft, attachments=[*draft.attachments, *files])


def _with_files(draft: Draft) -> Draft:
    """The draft with all its files in the spool, where signal-cli reads them."""
    preview = draft.link_preview
    if not draft.attachments and preview is None:
        return draft
    attachments = [str(attachment_file(one, draft.voice_note)) for one in draft.attachments]
    if preview is not None and preview.image:
        preview = dataclasses.replace(preview, image=str(attachment_file(preview.image)))
    return dataclasses.replace(draft, attachments=attachments, link_preview=preview)


def _refusal(error: Refused, number: str) -> ResponseReturnValue:
    """The answer when nobody was reached, with the reason for each recipient if there is one."""
    error = _look_up(error, number)
    unreached = _unreached_recipients(error)
    if isinstance(error, RateLimited):
        answer = refusals.rate_limit_answer(error, number)
        return problem(error, 429, text=answer.pop("error"), **answer, **unreached)
    return problem(error, **unreached)


def _look_up(error: Refused, number: str) -> Refused:
    """Whether a number that is said to be unregistered could only not be looked up.

    signal-cli says the same for both while it does not know the number's UUID
    (signal-cli.rst 0.9); asked for the number alone, it says -3 when there is no network.
    """
    doubtful = refusals.unknown_numbers(error)
    if not isinstance(error, RecipientUnregistered) or not doubtful:
        return error
    try:
        bridge().gateway.run(contacts.search(number, doubtful))
    except Refused as lookup:
        if lookup.rpc_code == refusals.IO_CODE:
            return SignalUnreachable(str(error), error.rpc_code, error.data)
    except DaemonError:
        return error  # not told apart; the refusal still stands
    return error


def _unreached_recipients(error: Refused) -> dict[str, Any]:
    """`{"errors": {"recipients": […]}}`, as in a success that is a partial one."""
    try:
        answer = results.send_answer({"results": refusals.failed_recipients(error)})
    except RequestError:  # what came with the refusal makes no sense; the refusal still does
        return {}
    return {key: value for key, value in answer.items() if key == "errors"}
