"""What signal-cli says in Java's words is told to nobody."""

from __future__ import annotations

import pytest

from signal_bridge.signalcli.javatexts import java_classes, readable

CAST = (
    "class java.lang.Integer cannot be cast to class java.lang.Long (java.lang.Integer and "
    "java.lang.Long are in module java.base of loader 'bootstrap') (ClassCastException)"
)
NULL = 'Cannot invoke "String.length()" because "uri" is null (NullPointerException)'
UNREACHABLE = "signal-cli could not reach Signal"
DEFECT = "signal-cli failed unexpectedly; the log has the reason under this request's id"

IN_OUR_WORDS = [
    (CAST, "A number of the request is too large or too small for signal-cli; "
           "timestamps are in milliseconds since 1970 (13 digits)"),
    ('"targetTimestamp" has the wrong type',
     "A number of the request is too large or too small for signal-cli; "
     "timestamps are in milliseconds since 1970 (13 digits)"),
    (NULL, DEFECT),
    ("null (AssertionError)", DEFECT),
    ("null", DEFECT),
    ("Failed to send message: null (IOException) (UnexpectedErrorException)",
     f"Failed to send message: {DEFECT}"),
    ("Update contact error: null", f"Update contact error: {DEFECT}"),
    ("Failed to send message: Closed unexpectedly (SocketException) (UnexpectedErrorException)",
     f"Failed to send message: {UNREACHABLE}"),
    ("Failed to register: java.net.UnknownHostException: chat.signal.org",
     f"Failed to register: {UNREACHABLE}"),
    ("Failed to send message (AuthorizationFailedException)",
     "Failed to send message: Signal does not let this account in any more; it was unlinked or "
     "registered elsewhere, and has to be linked or registered again"),
    ("Failed to send message: [508] Bad (NonSuccessfulResponseCodeException) "
     "(UnexpectedErrorException)", "Failed to send message: Signal answered with status 508"),
    ("[499] StatusCode: 499 (DeprecatedVersionException)",
     "Signal no longer takes this version of signal-cli; update it"),
    ("Failed to send message: /a/b.png (NoSuchFileException) (UnexpectedErrorException)",
     "Failed to send message: signal-cli cannot read a file of the request; it must see the "
     "bridge's uploads"),
    ("Can't make a PNI a group admin. (IllegalArgumentException)",
     "Can't make a PNI a group admin."),
    ('For input string: "99999999999" (NumberFormatException)',
     '"99999999999": this is no number, or one that is too large or too small for signal-cli'),
    ('Unrecognized field "foo" (class org.asamk.signal.commands.VerifyCommand$Params)', DEFECT),
]  # fmt: skip
AS_THEY_ARE = [
    "",
    "Group not found: abc=",
    "User is not a member in group: Trial and Error",
    "User is not a member in group: FatalError",
    "Verify error: Invalid code",
    "Captcha invalid or required for verification (null)",
    "Failed to register: [400] StatusCode: 400 (InvalidTransportModeException)",
    "Link request error: Connection closed!",
    "Cannot create a V2 group as self does not have a versioned profile",
    "This command doesn't work on linked devices.",
]


@pytest.mark.parametrize(("said", "told"), IN_OUR_WORDS)
def test_java_is_put_into_words(said: str, told: str) -> None:
    assert readable(said) == told


@pytest.mark.parametrize("said", AS_THEY_ARE)
def test_what_is_in_words_stays(said: str) -> None:
    assert readable(said) == said


@pytest.mark.parametrize("said", [text for text, _ in IN_OUR_WORDS])
def test_nothing_of_java_is_left(said: str) -> None:
    told = readable(said)
    assert readable(told) == told
    assert not any(trace in told for trace in ("Exception", "java", "null", "org.", "cast"))


def test_the_classes_are_kept_for_the_log() -> None:
    assert java_classes(CAST) == ["ClassCastException"]
    assert java_classes("x: java.net.UnknownHostException: y (UnexpectedErrorException)") == [
        "UnknownHostException", "UnexpectedErrorException",
    ]  # fmt: skip
    assert java_classes("Group not found: FatalError") == []
