"""The tree of errors: what each says of itself, and that the edge can answer it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import pytest

from signal_bridge import errors
from signal_bridge.errors import (
    BodyTooLarge,
    BridgeError,
    CallTimedOut,
    ConnectionLost,
    DaemonError,
    DaemonUnavailable,
    NonsenseReply,
    Refused,
    RequestError,
    StartError,
    StoreError,
)


def family(root: type[BridgeError]) -> Iterator[type[BridgeError]]:
    yield root
    for child in root.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from family(child)


EVERY = list(family(BridgeError))


def names(classes: list[type[BridgeError]]) -> list[str]:
    return [one.__name__ for one in classes]


def test_every_class_of_the_module_is_in_the_tree() -> None:
    defined = {
        name
        for name, one in inspect.getmembers(errors, inspect.isclass)
        if one.__module__ == errors.__name__
    }
    assert set(names(EVERY)) == defined


def test_the_drawing_shows_every_class_under_its_parent() -> None:
    drawn = [
        (line.index(word) // 4, word)
        for line in (errors.__doc__ or "").splitlines()
        if (words := line.replace("│", " ").strip("├─└ ").split())
        and inspect.isclass(getattr(errors, word := words[0], None))
    ]
    parents: list[str] = []
    found = {}
    for depth, name in drawn:
        del parents[depth - 1 :]
        found[name] = parents[-1] if parents else "Exception"
        parents.append(name)
    assert found == {one.__name__: one.__bases__[0].__name__ for one in EVERY}


@pytest.mark.parametrize("kind", EVERY, ids=names(EVERY))
def test_every_error_says_whether_again_can_help_and_has_a_word(kind: type[BridgeError]) -> None:
    assert isinstance(kind.retryable, bool)
    assert kind.code
    assert kind.code == kind.code.lower()
    assert kind.__doc__


def test_no_two_errors_share_a_word() -> None:
    """But for one fact that is met in two ways."""
    codes = [kind.code for kind in EVERY if kind is not errors.DaemonOutdated]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("kind", [ConnectionLost, CallTimedOut])
def test_what_was_not_written_may_be_repeated(
    kind: type[ConnectionLost] | type[CallTimedOut],
) -> None:
    assert kind("gone", request_written=False).retryable
    assert not kind("gone", request_written=True).retryable


def test_what_is_sure_of_every_kind() -> None:
    assert not DaemonUnavailable("no").request_written
    assert DaemonUnavailable("no").retry_after_seconds > 0
    assert NonsenseReply("what").request_written
    assert not NonsenseReply("what").retryable
    assert issubclass(StoreError, BridgeError)
    assert StoreError.retryable
    assert not RequestError.retryable
    assert not StartError.retryable
    assert not Refused("no", -1).retryable
    assert DaemonError.retryable


def test_an_outdated_signal_cli_is_the_same_whether_it_answers_or_not() -> None:
    assert errors.DaemonOutdated.code == errors.SignalCliOutdated.code
    assert not errors.DaemonOutdated("no").retryable
    assert not errors.DaemonOutdated("no").request_written


def test_too_large_names_its_limit() -> None:
    assert "1024 bytes" in str(BodyTooLarge(1024))
    assert BodyTooLarge(1024).limit_bytes == 1024


def test_a_refusal_keeps_what_signal_cli_said() -> None:
    error = Refused("no", -5, {"response": {}})
    assert (str(error), error.rpc_code, error.data) == ("no", -5, {"response": {}})
