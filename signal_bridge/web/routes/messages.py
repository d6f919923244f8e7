"""Sending (rest-contract.md 4)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from flask import jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage

from signal_bridge.errors import (
    DaemonError,
    RateLimited,
    RecipientUnregistered,
    Refused,
    RequestError,
    SignalUnreachable,
)
from signal_bridge.signalcli import contacts, messages, refusals
from signal_bridge.signalcli.attachments import split_attachment
from signal_bridge.signalcli.messages import LinkPreview, Message
from signal_bridge.web.edge import forms
from signal_bridge.web.edge.context import bridge, uploads
from signal_bridge.web.edge.inputs import INVALID_BODY, read_body
from signal_bridge.web.edge.longstrings import LongString
from signal_bridge.web.edge.problems import problem
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
    if request.mimetype == "multipart/form-data":
        body, files = forms.read_form(SEND)
    else:
        body, files = read_body(SEND), []
    if body["recipients"] or body["recipient"] is not None:
        body["number"] = body["number"] or default_account()
    message, attachments, thumbnail = _message_of(body)
    messages.check(message, len(attachments) + len(files))
    return _send(message, attachments, files, thumbnail)


def send_v1() -> ResponseReturnValue:
    """The peer's deprecated way to send: at most one attachment, no styles. 201.

    Without `number` it is DEFAULT_ACCOUNT that sends, or the only account. 400 when it cannot be
    sent, or reached nobody.
    """
    body = read_body(SEND_V1)
    messages.destination_v1(body["recipients"], body["is_group"])
    number = body["number"] or default_account()
    attachment = body["base64_attachment"]
    path = str(_saved(attachment)) if attachment else None
    call = messages.send_v1(number, body["recipients"], body["message"], path, body["is_group"])
    return jsonify(messages.sent(bridge().gateway.run(call))), 201


def _send(
    message: Message, attachments: Sequence[str], files: Sequence[FileStorage], thumbnail: str
) -> ResponseReturnValue:
    paths = [str(_saved(text)) for text in attachments]
    paths += [str(forms.kept_file(file)) for file in files]
    message = dataclasses.replace(
        message, attachments=paths, link_preview=_with_image(message.link_preview, thumbnail)
    )
    try:
        result = bridge().gateway.run(messages.send(message))
    except Refused as error:
        return _refused(error, message.number)
    answer = messages.sent(result)
    return jsonify([answer] if bridge().settings.compat == _ARRAY_SINCE else answer), 201


def _refused(error: Refused, number: str) -> ResponseReturnValue:
    """The answer when nobody was reached, with the reason for each recipient if there is one."""
    error = _told_apart(error, number)
    unreached = _unreached(error)
    if isinstance(error, RateLimited):
        answer = refusals.rate_limit_answer(error, number)
        return problem(error, 429, text=answer.pop("error"), **answer, **unreached)
    return problem(error, **unreached)


def _told_apart(error: Refused, number: str) -> Refused:
    """Whether a number that is said to be unregistered could only not be looked up.

    signal-cli says the same for both while it does not know the number's UUID
    (signal-cli-rpc.md 0.9); asked for the number alone, it says -3 when there is no network.
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


def _unreached(error: Refused) -> dict[str, Any]:
    """`{"errors": {"recipients": […]}}`, as in a success that is a partial one."""
    try:
        told = messages.sent({"results": refusals.failed_recipients(error)})
    except RequestError:  # what came with the refusal makes no sense; the refusal still does
        return {}
    told.pop("timestamp")
    return told


def _message_of(body: dict[str, Any]) -> tuple[Message, list[str], str]:
    """The message, its attachments as texts, and its link preview's picture as text."""
    recipient, text_mode = body.pop("recipient"), body.pop("text_mode")
    attachments = body.pop("base64_attachments")
    preview, thumbnail = body.pop("link_preview") or (None, "")
    if recipient is not None:
        body["recipients"].append(recipient)
    if text_mode is None:
        text_mode = bridge().settings.default_text_mode
    return (
        Message(**body, styled=text_mode == "styled", link_preview=preview),
        attachments,
        thumbnail,
    )


def _with_image(preview: LinkPreview | None, thumbnail: str) -> LinkPreview | None:
    if preview is None or not thumbnail:
        return preview
    return dataclasses.replace(preview, image_path=str(_saved(thumbnail)))


def _saved(text: str) -> Path:
    """An attachment string (4.4) as a file. Its name and type stand before the first 64 KiB end."""
    chunks = text.chunks() if isinstance(text, LongString) else iter((text,))
    try:
        filename, payload = split_attachment(next(chunks, ""))
        return uploads().save_base64(_bytes_of(payload, chunks), filename)
    except ValueError:
        raise RequestError(INVALID_BODY) from None


def _bytes_of(first: str, rest: Iterator[str]) -> Iterator[bytes]:
    yield first.encode(errors="replace")
    for chunk in rest:
        yield chunk.encode(errors="replace")
