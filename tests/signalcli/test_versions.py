from __future__ import annotations

import pytest

from signal_bridge.signalcli import versions


@pytest.mark.parametrize(
    ("method", "running", "sentence"),
    [
        (
            "sendPollVote",
            "0.13.19",
            "signal-cli 0.13.19 does not have sendPollVote; that needs signal-cli 0.13.23 or newer",
        ),
        (
            "sendAdminDelete",
            None,
            "This signal-cli does not have sendAdminDelete; that needs signal-cli 0.14.0 or newer",
        ),
        (
            "sendStory",
            versions.UNKNOWN,
            "This signal-cli does not have sendStory; that needs signal-cli 0.14.6 or newer",
        ),
        (
            "listAccounts",
            "0.14.6",
            "signal-cli 0.14.6 does not have listAccounts, "
            "as one that was started for a single account (-a)",
        ),
        ("send", "0.14.6", "signal-cli 0.14.6 does not have send"),
    ],
)
def test_what_signal_cli_does_not_have(method: str, running: str | None, sentence: str) -> None:
    error = versions.without_method(method, running)
    assert (str(error), error.rpc_code, error.retryable) == (sentence, -32601, False)


def test_what_came_with_a_parameter() -> None:
    error = versions.too_old("labels of members", "0.14.1", "0.14.0")
    assert str(error) == (
        "signal-cli 0.14.0 does not have labels of members; that needs signal-cli 0.14.1 or newer"
    )
