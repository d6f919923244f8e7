"""One attempt to deliver: an HTTP POST that always ends, and always with an `Attempt`.

No redirect is followed, no proxy of the environment is used, no cookie is kept, and of the answer
only the beginning is read.
"""

from __future__ import annotations

import dataclasses
import http.cookiejar
import logging
import ssl
import threading
import time
from concurrent.futures import Future, wait
from typing import Final

import requests
import urllib3.exceptions as http_errors

from signal_bridge import __version__
from signal_bridge.clock import Deadline, now_ms
from signal_bridge.delivery.webhooks import schedule, signature
from signal_bridge.delivery.webhooks.addresses import Rules
from signal_bridge.delivery.webhooks.connecting import CheckedAdapter, NoConnection
from signal_bridge.delivery.webhooks.urllib3_parts import (
    ANSWER_BYTES,
    AnswerTooLong,
    StayingSession,
    root_of,
)
from signal_bridge.delivery.webhooks.webhook import HOP_HEADER, Webhook

log = logging.getLogger(__name__)

_ANSWER_BODY_BYTES: Final = 4096
_ANSWER_CHARACTERS: Final = 1000
# How often to look whether an attempt without a courier is overdue.
_LOOK_SECONDS: Final = 0.25


@dataclasses.dataclass(frozen=True)
class Limits:
    """How long an attempt may take: to connect, between two pieces of the answer, and in all."""

    connect_seconds: float = 5.0
    read_seconds: float = 15.0
    whole_seconds: float = 20.0


@dataclasses.dataclass(frozen=True)
class Attempt:
    """What came of it. `status` is 0 when no answer came; then `error` says why.

    `answer` is the beginning of the receiver's answer as text, empty when the rules say that it is
    not shown; `answer_bytes` is how much of its body was read.
    """

    status: int
    error: str
    duration_ms: int
    retry_after_seconds: float | None = None
    answer: str = ""
    answer_bytes: int = 0


class _Overdue(Exception):
    """The attempt as a whole took too long."""


# Why no answer came. The first row whose class fits decides. Kinds, and nothing that a server has
# said, which errors quote: whoever asks for an attempt may not be meant to hear it.
_SENTENCES: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (_Overdue, "no whole answer within {limits.whole_seconds:g} s"),
    (http_errors.NameResolutionError, "the receiver's name cannot be resolved"),
    (http_errors.ConnectTimeoutError, "no connection within {limits.connect_seconds:g} s"),
    (http_errors.ReadTimeoutError, "no answer within {limits.read_seconds:g} s"),
    (AnswerTooLong, f"the answer's head does not end within {ANSWER_BYTES} bytes"),
    (http_errors.SSLError, "TLS failed: {tls}"),
    (ssl.SSLError, "TLS failed: {tls}"),
    (BaseException, "the connection ended without an answer ({kind})"),
)


class Poster:
    """Posts for one webhook, one attempt at a time, and keeps its connection open.

    `post` belongs to one thread; `end` and `end_if_overdue` may be called from any.
    """

    def __init__(self, rules: Rules, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._adapter = CheckedAdapter(rules)
        self._shows_answers = rules.shows_answers
        self._session = StayingSession()
        self._session.trust_env = False
        self._session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
        self._session.mount("http://", self._adapter)
        self._session.mount("https://", self._adapter)
        self._deadline: Deadline | None = None  # of the attempt that is under way
        self._template: tuple[Webhook, requests.PreparedRequest] | None = None

    def post(self, webhook: Webhook, event_id: str, body: bytes) -> Attempt:
        """One attempt, whatever happens."""
        began = time.monotonic()
        deadline = self._deadline = Deadline(self._limits.whole_seconds)
        self._adapter.begin(deadline)
        status, error, retry_after, answer = 0, "", None, b""
        try:
            request = self._request(webhook, event_id, body)
            response = self._session.send(
                request,
                stream=True,
                allow_redirects=False,
                timeout=(self._limits.connect_seconds, self._limits.read_seconds),
            )
            status = response.status_code
            retry_after = response.headers.get("Retry-After")
            answer = _beginning(response)
        except (OSError, ValueError, http_errors.HTTPError) as problem:
            # every error of requests is an OSError, but for those about the URL
            error = self._sentence(problem, deadline)
        finally:
            self._deadline = None
        return Attempt(
            status,
            error,
            duration_ms=round((time.monotonic() - began) * 1000),
            retry_after_seconds=schedule.retry_after(retry_after, time.time()),
            answer=_text(answer) if self._shows_answers else "",
            answer_bytes=len(answer),
        )

    def end_if_overdue(self) -> None:
        """End an attempt that has lasted too long, though there was always some progress."""
        deadline = self._deadline
        if deadline is not None and deadline.expired():
            self._adapter.end()

    def end(self) -> None:
        """End the attempt that is under way, if there is one: its connection is gone."""
        if self._deadline is not None:
            self._adapter.end()

    def close(self) -> None:
        """Close the connection that is kept open, if one is."""
        self._session.close()

    def _request(self, webhook: Webhook, event_id: str, body: bytes) -> requests.PreparedRequest:
        """The request, from a template: preparing one takes a fifth of an attempt's time."""
        if self._template is None or not _alike(self._template[0], webhook):
            self._template = (webhook, _template(webhook))
        request = self._template[1].copy()
        now = now_ms()
        signing = webhook.signing_secrets(now)
        request.headers.update(signature.headers(event_id, now // 1000, body, signing))
        request.headers["Content-Length"] = str(len(body))
        request.body = body
        return request

    def _sentence(self, error: Exception, deadline: Deadline) -> str:
        """Why no answer came, without the URL: there may be a password in it."""
        root = root_of(error)
        if isinstance(root, NoConnection):
            return root.sentence
        kind = _Overdue if deadline.expired() else type(root)
        template = next(text for known, text in _SENTENCES if issubclass(kind, known))
        return template.format(limits=self._limits, kind=kind.__name__, tls=_tls_trouble(root))


def post_once(
    rules: Rules, webhook: Webhook, event_id: str, body: bytes, stop: threading.Event
) -> Attempt:
    """One attempt with a connection of its own, for those who have no `Poster`.

    Nobody waits for it once `stop` is set. What it waits for itself, such as a name server, need
    not end then, so it has a thread to be left on.
    """
    began = time.monotonic()
    poster = Poster(rules)
    outcome: Future[Attempt] = Future()

    def post() -> None:
        try:
            outcome.set_result(poster.post(webhook, event_id, body))
        except Exception as error:  # noqa: BLE001 - for whoever waits
            outcome.set_exception(error)
        finally:
            poster.close()

    threading.Thread(target=post, name="webhook-test", daemon=True).start()
    while not stop.is_set():
        wait([outcome], _LOOK_SECONDS)
        if outcome.done():
            return outcome.result()
        poster.end_if_overdue()
    poster.end()
    return Attempt(0, "the bridge is stopping", round((time.monotonic() - began) * 1000))


def _tls_trouble(error: Exception) -> str:
    """What OpenSSL calls it. Its words come from tables; the name in them is that of the URL."""
    inner = error.args[0] if error.args else None
    cause = inner if isinstance(inner, ssl.SSLError) else error
    reason = getattr(cause, "reason", None) or type(cause).__name__
    words = str(reason).replace("_", " ").lower()
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"{words}: {cause.verify_message}"
    return words


def _alike(one: Webhook, other: Webhook) -> bool:
    """Whether their requests differ only in what is posted."""
    return (one.url, one.headers) == (other.url, other.headers)


def _template(webhook: Webhook) -> requests.PreparedRequest:
    headers = {
        "User-Agent": f"Signal-Bridge/{__version__}",
        **webhook.headers,
        "Content-Type": "application/json",
        HOP_HEADER: "1",
    }
    return requests.Request("POST", webhook.url, headers=headers).prepare()


def _beginning(response: requests.Response) -> bytes:
    """The first bytes of the answer. It has a status already: an end too early is no error."""
    try:
        head: bytes = response.raw.read(_ANSWER_BODY_BYTES, decode_content=False)
        if len(head) < _ANSWER_BODY_BYTES:
            response.raw.read(1, decode_content=False)  # at its end the connection is free again
    except (OSError, http_errors.HTTPError) as error:
        log.debug("the receiver's answer ended early: %s", type(error).__name__)
        head = b""
    response.close()
    return head


def _text(answer: bytes) -> str:
    return answer.decode(errors="replace").replace("\0", "\ufffd")[:_ANSWER_CHARACTERS]
