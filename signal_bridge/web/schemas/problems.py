"""How failures are answered (edge/problems.py)."""

from __future__ import annotations

from signal_bridge.web.schemas.answers import AnswerSchema, flag, free, many, one, text, word
from signal_bridge.web.schemas.examples import ANN, BOB, CHALLENGE_TOKEN, REQUEST_ID, UUID


class UnreachedSchema(AnswerSchema):
    """Somebody whom a message did not reach, by what is known of them, and why."""

    number = text(BOB, required=False)
    uuid = text(UUID, required=False)
    username = text("bob.01", required=False)
    reason = text("UNREGISTERED_FAILURE", about="signal-cli's word for it")


class RecipientErrorsSchema(AnswerSchema):
    """Whom a message did not reach."""

    recipients = many(UnreachedSchema)


class ProblemSchema(AnswerSchema):
    """A request has failed."""

    error = text("Couldn't process request - invalid request", about="a sentence for people")
    detail = text(
        required=False,
        about="what is wrong with the request: where its body cannot be read, or which fields",
    )
    wrong_fields = free(
        values=text(),
        required=False,
        data_key="fields",
        about="what is wrong with each field or parameter, by its name: `mentions[0].start`",
    )
    code = text("bad_request", about="a word for programs")
    retryable = flag(False, about="whether the same request may succeed later")
    request_id = text(REQUEST_ID, about="the log has it, too")
    outcome = word(
        "unknown",
        "not_sent",
        required=False,
        about="whether signal-cli may have carried it out all the same",
    )
    captcha_url = text(required=False, about="where to solve the captcha that Signal asks for")
    errors = one(RecipientErrorsSchema, required=False)


class RateLimitSchema(AnswerSchema):
    """Signal wants a pause, or a captcha for one of the tokens."""

    error = text(
        "Failed to send message due to rate limiting. Use the attached challenge tokens"
        " to lift the rate limit restrictions via the"
        " '/v1/accounts/{number}/rate-limit-challenge' endpoint.",
        about="a sentence for people",
    )
    challenge_tokens = many(text(CHALLENGE_TOKEN), required=False)
    account = text(ANN, required=False, about="which account Signal has limited")
    code = text("rate_limited", about="a word for programs")
    retryable = flag(True, about="whether the same request may succeed later")
    request_id = text(REQUEST_ID, about="the log has it, too")
    captcha_url = text(
        "https://signalcaptchas.org/challenge/generate.html",
        required=False,
        about="where to solve a captcha for a token",
    )
    errors = one(RecipientErrorsSchema, required=False)


class NotReadySchema(AnswerSchema):
    """The bridge is not ready: which of its parts are not well, and why."""

    status = word("not ready")
    error = text("signal-cli: it is starting", about="all reasons as one text")
    code = word("not_ready", "signal_cli_outdated")
    retryable = flag(True)
    request_id = text(REQUEST_ID, about="the log has it, too")
    reasons = free({"signal-cli": "it is starting"}, text(), about="by the name of the part")
