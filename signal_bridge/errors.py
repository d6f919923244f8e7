"""Every error the bridge raises, named by what the caller experienced.

    BridgeError
    ├── StartError                    the program cannot start; one sentence says what to do
    │   └── SettingError              a setting has a value that is not allowed
    ├── Busy                          all there is of something is taken; nothing was begun
    │   ├── BusyForClient             by this client alone
    │   └── TooManyStreams            no place is left for one more stream
    ├── RequestError                  the caller's request is at fault
    │   ├── ClientGone                its body did not come to its end
    │   ├── NotFound                  what it names does not exist
    │   ├── BodyTooLarge              it is bigger than the bridge accepts
    │   ├── TooManyParts              a form of more parts than the bridge accepts
    │   ├── TooMuchJson               JSON of more structure than the bridge accepts
    │   ├── CallTooLarge              signal-cli would have to read more than it can
    │   ├── WebhookLoop               the bridge would call itself
    │   └── UnreadableBody            it is encoded in a way that the bridge does not read
    ├── DaemonError                   signal-cli could not be asked, or did not answer
    │   ├── DaemonUnavailable         it is not running (yet); nothing was sent
    │   │   ├── AccountNotLoaded      it has not loaded the account, which is known
    │   │   ├── DaemonBusy            it has no memory left for one more large call
    │   │   └── DaemonOutdated        Signal no longer talks to it, and so it ends at its start
    │   ├── ConnectionLost            the connection ended before the answer came
    │   ├── CallTimedOut              no answer within the deadline
    │   └── NonsenseReply             it answered something that makes no sense
    ├── Refused                       signal-cli answered, and the answer is no
    │   ├── RateLimited               Signal wants a pause, or a captcha
    │   ├── UntrustedIdentity         a recipient's safety number changed
    │   ├── RecipientUnregistered     nobody has Signal under that number or name
    │   ├── SignalUnreachable         signal-cli could not reach Signal
    │   ├── CaptchaRequired           registering needs a solved captcha
    │   ├── CaptchaRejected           the captcha was old, used, or of the wrong kind
    │   ├── UnknownAccount            signal-cli has no such account
    │   │   └── AccountUnlinked       there was one: it has to be linked again
    │   ├── SignalCliOutdated         Signal no longer talks to this version of signal-cli
    │   └── NotSupported              this signal-cli cannot do it
    └── StoreError                    the bridge's own database
        ├── StoreUnavailable          it cannot be reached or is busy
        ├── StoreFull                 there is no room left on the disk
        ├── StoreRefused              it cannot hold what it was given
        └── LeaseLost                 another process does it by now

Each class says with `retryable` whether trying the same thing again can help, and `code` is a
word for programs. `web/edge/problems.py` gives each a status; nothing else translates errors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class BridgeError(Exception):
    """The root. `str(error)` is a sentence that may be shown to the caller: no secret is in it."""

    code = "internal_error"
    retryable = False


class StartError(BridgeError):
    """The program cannot start. The command line prints the sentence and exits with 2."""

    code = "cannot_start"


class SettingError(StartError):
    """A setting is wrong. The sentence names the variable, its value and what is allowed."""

    code = "bad_setting"


class RequestError(BridgeError):
    """The request is at fault; sending the same again gives the same answer.

    `detail` says more than the message may, which scripts compare: where a body cannot be read, and
    what belongs there. `fields` has a sentence for each field or parameter that is wrong, by its
    name. Both are logged: they name what was found by its kind, never by its value.
    """

    code = "bad_request"

    def __init__(
        self,
        message: str,
        detail: str | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.fields = dict(fields or {})
        self.detail = detail or "; ".join(f"{name}: {why}" for name, why in self.fields.items())


class ClientGone(RequestError):
    """The client stopped in the middle of its request. Nothing was done."""

    code = "incomplete_request"
    retryable = True


class NotFound(RequestError):
    """The request names something that does not exist."""

    code = "not_found"


class BodyTooLarge(RequestError):
    """The request body, or one part of it, is larger than allowed.

    `limit_bytes` is the limit it exceeded, `what` is what exceeded it.
    """

    code = "too_large"

    def __init__(self, limit_bytes: int, what: str = "The request") -> None:
        super().__init__(f"{what} is larger than the limit of {limit_bytes} bytes")
        self.limit_bytes = limit_bytes


class TooManyParts(RequestError):
    """A form has more parts, or a body more of something else, than anybody means.

    `what` is what there is more of.
    """

    code = "too_many_parts"

    def __init__(self, limit: int, what: str = "The form has more parts") -> None:
        super().__init__(f"{what} than the limit of {limit}")


class TooMuchJson(RequestError):
    """JSON has more outside of its strings, or more keys, than any request needs.

    `detail` names the limit, and where it was exceeded.
    """

    code = "too_much_json"


class CallTooLarge(RequestError):
    """What signal-cli would have to read for it is more than its memory takes."""

    code = "too_large_for_signal_cli"


class WebhookLoop(RequestError):
    """The request comes from a webhook, or asks for one that would call the bridge itself."""

    code = "webhook_loop"


class UnreadableBody(RequestError):
    """The body is compressed, or in a charset that is not known: it was not looked at."""

    code = "unreadable_body"


class Busy(BridgeError):
    """All that there is of something is taken. Nothing was begun.

    After `retry_after_seconds` trying again makes sense.
    """

    code = "too_busy"
    retryable = True

    def __init__(self, message: str, retry_after_seconds: int = 5) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class BusyForClient(Busy):
    """One client has as much of it as one may have. Others may still get some."""

    code = "too_many_requests"


class TooManyStreams(Busy):
    """Every place for a stream is taken, so that requests always find a thread."""

    code = "too_many_streams"


class DaemonError(BridgeError):
    """signal-cli could not be asked, or gave no usable answer.

    `request_written` tells whether the request may have reached signal-cli. If it may have, the
    outcome is unknown and only the caller can decide to repeat; if not, repeating is safe. So it is
    for a call that only reads, whose error the gateway makes `retryable`.
    """

    code = "daemon_error"
    retryable = True
    request_written = False


class DaemonUnavailable(DaemonError):
    """signal-cli is not running, or not ready yet. Nothing was sent to it.

    `retry_after_seconds` is when asking again makes sense.
    """

    code = "daemon_unavailable"

    def __init__(self, message: str, retry_after_seconds: int = 5) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class AccountNotLoaded(DaemonUnavailable):
    """The account is known, and signal-cli has not loaded it (yet). Nothing was sent to it."""

    code = "account_not_loaded"


class DaemonBusy(DaemonUnavailable):
    """signal-cli works on so many large calls that this one has no room beside them."""

    code = "daemon_busy"

    def __init__(self) -> None:
        super().__init__("signal-cli works on as many large calls as it has memory for; try again")


class DaemonOutdated(DaemonUnavailable):
    """signal-cli ends at its start, since Signal refuses its version. Only a newer one helps.

    The word is that of SignalCliOutdated, which is the same met in an answer.
    """

    code = "signal_cli_outdated"
    retryable = False


class ConnectionLost(DaemonError):
    """The connection to signal-cli ended before the answer came."""

    code = "daemon_connection_lost"

    def __init__(self, message: str, request_written: bool) -> None:
        super().__init__(message)
        self.request_written = request_written
        self.retryable = not request_written


class CallTimedOut(DaemonError):
    """signal-cli did not answer within the deadline."""

    code = "daemon_timeout"

    def __init__(self, message: str, request_written: bool) -> None:
        super().__init__(message)
        self.request_written = request_written
        self.retryable = not request_written


class NonsenseReply(DaemonError):
    """signal-cli answered the request with something that is not an answer to it."""

    code = "daemon_nonsense"
    retryable = False
    request_written = True


class Refused(BridgeError):
    """signal-cli answered with a JSON-RPC error.

    `rpc_code` and `data` are its own (signal-cli.rst 2.2: -1 user, -3 I/O, -4 untrusted
    key, -5 rate limit, -6 captcha rejected, -32602 account, -32603 anything else). `java_classes`
    are the exceptions that its message named where the sentence no longer does: for the log.
    """

    code = "refused"

    def __init__(
        self, message: str, rpc_code: int, data: Any = None, java_classes: Sequence[str] = ()
    ) -> None:
        super().__init__(message)
        self.rpc_code = rpc_code
        self.data = data
        self.java_classes = java_classes


class RateLimited(Refused):
    """Signal wants a pause or a solved captcha before it accepts more (-5).

    `captcha_url` is where to solve one that lifts it; one for registering does not.
    """

    code = "rate_limited"
    retryable = True
    captcha_url = "https://signalcaptchas.org/challenge/generate.html"


class UntrustedIdentity(Refused):
    """The safety number of every recipient changed and is not trusted (-4)."""

    code = "untrusted_identity"


class RecipientUnregistered(Refused):
    """Nobody can be reached under that number, UUID or username.

    For a number whose UUID is not known yet, signal-cli says the same when it could not look it
    up (signal-cli.rst 0.9); `/v2/send` asks again before it believes that.
    """

    code = "unregistered_recipient"


class SignalUnreachable(Refused):
    """signal-cli is well, and could not reach Signal. Nobody got the message."""

    code = "signal_unreachable"
    retryable = True


class CaptchaRequired(Refused):
    """Signal wants a captcha before it registers a number. `captcha_url` is where to solve it."""

    code = "captcha_required"
    captcha_url = "https://signalcaptchas.org/registration/generate.html"


class CaptchaRejected(Refused):
    """The captcha was outdated, used already, or solved for another purpose or address."""

    code = "captcha_rejected"


class UnknownAccount(Refused):
    """signal-cli has no such account, and the bridge knows of none."""

    code = "unknown_account"


class AccountUnlinked(UnknownAccount):
    """The account was logged out by Signal or its owner, or deleted. It has to be linked again."""

    code = "account_unlinked"


class SignalCliOutdated(Refused):
    """Signal refuses this version of signal-cli. Only a newer one helps."""

    code = "signal_cli_outdated"


class NotSupported(Refused):
    """This signal-cli cannot do what was asked: it is too old for it, or runs in another way."""

    code = "not_supported"


class StoreError(BridgeError):
    """The bridge's database could not do what was asked of it."""

    code = "store_error"
    retryable = True


class StoreUnavailable(StoreError):
    """The database cannot be reached, or stayed busy for too long."""

    code = "store_unavailable"


class StoreFull(StoreError):
    """No room is left where the database lives. Nothing was written."""

    code = "store_full"


class StoreRefused(StoreError):
    """What was to be written can never be: a character or a number it has no room for."""

    code = "store_refused"
    retryable = False


class LeaseLost(StoreError):
    """The right to do this alone went to another process meanwhile. Nothing was written."""

    code = "lease_lost"
