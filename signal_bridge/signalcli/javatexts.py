"""What signal-cli says in Java's words, in ours (signal-cli.rst 2.2).

A refusal it did not foresee ends with the exception's class in brackets, after whatever the
exception had to say: "Failed to send message: null (NullPointerException)". Callers get a sentence;
the classes are kept for the log.
"""

from __future__ import annotations

import re
from typing import Final

# A name in a package, in brackets, or one of an exception; a group may be called "Trial and Error".
_CLASS: Final = re.compile(
    r"\b(?:[a-z]\w*\.)+[A-Z]\w*(?:Exception|Error)\b|\b[A-Z]\w*Exception\b|(?<=\()[A-Z]\w*Error(?=\))"
)
_IN_BRACKETS: Final = re.compile(r"\s*\([\w.$]*(?:Exception|Error)\)")
_BEFORE_COLON: Final = re.compile(r"\b(?:[\w.$]+(?:Exception|Error)|For input string):\s+")
_STATUS_WORDS: Final = re.compile(r"\[\d{3}\]\s*|StatusCode: \d{3}\s*")
_TRACES: Final = re.compile(
    r"\b(?:java|javax|jdk|sun|kotlin|okhttp3?|com\.fasterxml|com\.google"
    r"|org\.(?:asamk|signal|whispersystems|thoughtcrime))\.\w"
    r"|\bclass \S+ cannot be cast\b|\bCannot (?:invoke|read|load|store|throw|enter) .*\bnull\b"
    r'|\bbecause ".*" is null\b'
    r"|\n\s*at \S+\(|\bCaused by:"
    r"|(?:^|:\s*)null\s*$",
    re.DOTALL,
)
# The sandbox's words for a ClassCastException.
_SANDBOX_CAST: Final = re.compile(r'"\w*[tT]imestamp" has the wrong type')
_HTTP_STATUS: Final = re.compile(r"\[(\d{3})\]|StatusCode: (\d{3})")

# The peer's own texts have these, and it is known what is made of them (rest-surface.rst 5.2).
_KEPT: Final = ("InvalidTransportModeException",)
# They only wrap what went wrong.
_WRAPPERS: Final = frozenset(
    {
        "UnexpectedErrorException",
        "IOErrorException",
        "UserErrorException",
        "IOException",
        "RuntimeException",
        "ExecutionException",
        "CompletionException",
        "AssertionError",
    }
)

_UNREACHABLE: Final = "signal-cli could not reach Signal"
_NO_FILE: Final = "signal-cli cannot read a file of the request; it must see the bridge's uploads"
_WRONG_TYPE: Final = (
    "a number of the request is too large or too small for signal-cli; "
    "timestamps are in milliseconds since 1970 (13 digits)"
)
_NO_NUMBER: Final = "this is no number, or one that is too large or too small for signal-cli"
_DEFECT: Final = "signal-cli failed unexpectedly; the log has the reason under this request's id"

_SENTENCES: Final = {
    "ClassCastException": _WRONG_TYPE,
    "NumberFormatException": _NO_NUMBER,
    "UnknownHostException": _UNREACHABLE,
    "ConnectException": _UNREACHABLE,
    "SocketException": _UNREACHABLE,
    "SocketTimeoutException": _UNREACHABLE,
    "SSLException": _UNREACHABLE,
    "SSLHandshakeException": _UNREACHABLE,
    "PushNetworkException": _UNREACHABLE,
    "NetworkException": _UNREACHABLE,
    "TimeoutException": _UNREACHABLE,
    "NoSuchFileException": _NO_FILE,
    "FileNotFoundException": _NO_FILE,
    "AccessDeniedException": _NO_FILE,
    "AuthorizationFailedException": (
        "Signal does not let this account in any more; "
        "it was unlinked or registered elsewhere, and has to be linked or registered again"
    ),
    "DeprecatedVersionException": "Signal no longer takes this version of signal-cli; update it",
    "RateLimitException": "Signal wants a pause; try again later",
    "ServerRejectedException": "Signal takes nothing at the moment; try again later",
    "ProofRequiredException": "Signal wants a captcha first",
    "CaptchaRequiredException": "Signal wants a captcha first",
    "NotFoundException": "Signal does not have what was asked for",
    "ConflictException": "somebody else changed the same at the same time; try again",
    "GroupPatchNotAcceptedException": (
        "Signal did not accept the change of the group; the account may not be allowed to make it"
    ),
    "NotInGroupException": "the account is not a member of the group",
    "UnregisteredUserException": "somebody named in the request does not have Signal",
    "UntrustedIdentityException": "a safety number has changed and is not trusted",
    "DeviceLimitExceededException": "the account has as many devices as Signal allows",
    "OutOfMemoryError": "signal-cli ran out of memory",
    "NullPointerException": _DEFECT,
    "StackOverflowError": _DEFECT,
}


def java_classes(message: str) -> list[str]:
    """The exceptions that a message names, without their packages, in its order."""
    return [found.rpartition(".")[2] for found in _CLASS.findall(message)]


def readable(message: str) -> str:
    """The message in words for a caller: as it is, unless it speaks Java.

    What is known has a sentence; else the words that are left without Java's, as long as there
    are any.
    """
    if _SANDBOX_CAST.fullmatch(message):
        return _begun("", _WRONG_TYPE)
    if not _speaks_java(message) or any(kept in message for kept in _KEPT):
        return message
    rest = _BEFORE_COLON.sub("", _IN_BRACKETS.sub("", message)).strip()
    sentence = _known(message)
    if sentence is None and rest and not _speaks_java(rest):
        return rest
    lead = _STATUS_WORDS.sub("", rest).partition(": ")[0].rstrip(": ")
    return _begun("" if _speaks_java(lead) else lead, sentence or _DEFECT)


def _speaks_java(text: str) -> bool:
    return bool(_CLASS.search(text) or _TRACES.search(text))


def _known(message: str) -> str | None:
    names = [name for name in java_classes(message) if name not in _WRAPPERS]
    sentence = next((_SENTENCES[name] for name in names if name in _SENTENCES), None)
    if sentence is None and (status := _HTTP_STATUS.search(message)):
        return f"Signal answered with status {status[1] or status[2]}"
    return sentence


def _begun(lead: str, sentence: str) -> str:
    """A sentence begins with a capital, unless it is signal-cli's name that it begins with."""
    if lead:
        return f"{lead}: {sentence}"
    if sentence.startswith("signal-cli"):
        return sentence
    return f"{sentence[0].upper()}{sentence[1:]}"
