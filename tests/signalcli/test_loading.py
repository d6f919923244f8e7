"""Which account a call needs, and what signal-cli's own lines say of one that it has not loaded."""

from __future__ import annotations

import pytest

from signal_bridge.signalcli import accounts, loading
from signal_bridge.signalcli.call import Call

START = (
    "ERROR MultiAccountManager - Failed to load +*********11: Error while checking account"
    " +*********11: Closed unexpectedly (AccountCheckException)"
)
TRIED = "WARN  MultiAccountManagerImpl - Failed to load manager by number: +*********11"
TRACE = (
    "org.asamk.signal.manager.api.AccountCheckException: Error while checking account"
    " +*********11: Connection closed!",
    "\tat org.asamk.signal.manager.SignalAccountFiles.loadAccount(SignalAccountFiles.java:1)",
    "Caused by: java.io.IOException: Connection closed!",
    "\t... 12 more",
)  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([], ""),
        (["INFO  DaemonCommand - Started JSON-RPC server on /run/s"], ""),
        ([START], "it could not check it with Signal: Closed unexpectedly"),
        ([START, TRIED, *TRACE], "it could not check it with Signal: Connection closed!"),
        ([TRIED, *TRACE, "WARN  X - something else"],
         "it could not check it with Signal: Connection closed!"),
        (["ERROR M - Failed to load +*********11: disk I/O error (IOException)"], "disk I/O error"),
        ([TRIED, "org.asamk.signal.manager.api.NotRegisteredException: User is not registered."],
         "User is not registered."),
        ([TRIED, "java.nio.channels.OverlappingFileLockException"], "OverlappingFileLockException"),
        (["java.lang.IllegalStateException: of something else"], ""),
        ([TRIED], ""),
    ],
)  # fmt: skip
def test_the_reason_is_the_last_one_that_signal_cli_gave(lines: list[str], why: str) -> None:
    assert loading.why_not_loaded(lines) == why


@pytest.mark.parametrize(
    ("call", "account"),
    [
        (Call("send", {"account": "+491", "message": "x"}), "+491"),
        (Call("listAccounts"), None),
        (Call("listGroups", {"account": None}), None),
        (Call("listGroups", {"account": 491}), None),
        (Call("send", ["+491"]), None),
        (accounts.register("+491"), None),
        (accounts.verify("+491", "123"), None),
        (accounts.delete_local_account_data("+491"), None),
        (accounts.unregister("+491")[0], "+491"),
        (accounts.finish_link("sgnl://x", "cli"), None),
        (loading.load("+491"), "+491"),
    ],
)
def test_a_call_needs_the_account_it_names_unless_it_is_to_be_made_or_removed(
    call: Call, account: str | None
) -> None:
    assert loading.needed_account(call) == account


def test_an_account_is_loaded_by_a_call_that_is_not_repeated_by_itself() -> None:
    assert not loading.load("+491").repeatable
