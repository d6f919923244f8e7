"""The versions of signal-cli that the sandbox can be, and all in which they differ.

Each difference is a field of `Version`, named by what a client sees of it, with the release that
made it (signal-cli.rst 2.9). Read from the sources of 0.13.19 and 0.14.6.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from signal_bridge.rpc.requests import INTERNAL_ERROR
from signal_bridge.sandbox import errors


@dataclass(frozen=True)
class Version:
    """One version. The comments say since when signal-cli is so."""

    number: str
    """What `version` answers."""
    lacks: frozenset[str]
    """Methods that it does not know."""
    data_directory_flags: tuple[str, ...]
    """The spellings of `--config`. 0.14.4"""
    service_environments: tuple[str, ...]
    """Choices of `--service-environment`; `sandbox` went with 0.14.0."""
    daemon_flags: tuple[str, ...]
    """Options of `daemon` that not all versions have. 0.14.0"""
    no_channel: tuple[int, str]
    """The exit of a daemon that is told no channel. 0.14.0"""
    unloaded_exit: tuple[int, str] | None
    """The exit when an account's check fails at start; None goes on without it. 0.13.23"""
    outdated_exit: tuple[int, str]
    """The exit when Signal no longer takes the version. 0.13.23"""
    outdated_error: str
    """The class of Java's that the log names then. 0.13.23"""
    outdated_single: str
    """The text of the exit then, which is with 2, in single-account mode. 0.13.23"""
    loads_on_use: bool
    """Whether a look-up of an account that is not loaded tries to load it. 0.13.20"""
    finds_account_by_aci: bool
    """Whether `account` and `-a` may be the UUID. 0.14.6"""
    reregisters_loaded: bool
    """Whether `register` and its like let go of an account that is loaded, and go on. 0.13.20"""
    registers_nobody: str
    """What they say when `account` is absent. 0.13.20"""
    unasked_verification: int
    """The code of `verify` when nobody asked for one: the session is looked at first. 0.13.21"""
    extends_subscriptions: bool
    """Whether all subscriptions get the accounts that come later, wrapped. 0.14.2"""
    captcha_rejected: int
    """The code of a captcha that is refused. 0.14.3"""
    says_when_to_retry: bool
    """Whether `retryAfterSeconds` also comes without a token. 0.14.3"""
    minds_receipt_setting: bool
    """Whether no receipt is sent while `updateConfiguration` has switched them off. 0.14.6"""
    names_contacts_when_linked: bool
    """Whether `updateContact` works on a linked device. 0.13.23"""
    ends_sessions_silently: bool
    """Whether `endSession` answers `{}` and sends nothing. 0.14.4"""
    notifies_self_of_anything: bool
    """Whether other messages than those of `send` know `notifySelf`. 0.13.22"""
    marks_timer_changes: bool
    """Whether a data message has `isExpirationUpdate`. 0.13.21"""
    details_members: bool
    """Whether members of a group have `isAdmin` and labels, which can be set. 0.14.1"""
    archives_contacts: bool
    """Whether a contact has `isArchived`. 0.14.1"""
    wants_attachment_id: bool
    """Whether `getAttachment` without one is the caller's fault. 0.14.2"""
    guards_its_data: bool
    """Whether files of the data directory cannot be attached. 0.14.4"""


_D_BUS: Final = "Running daemon command without explicit mode is deprecated: there is no D-Bus"

OLD: Final = Version(
    number="0.13.19",
    lacks=frozenset(
        {
            "acceptCall",
            "hangupCall",
            "listCalls",
            "rejectCall",
            "sendAdminDelete",
            "sendPinMessage",
            "sendPollCreate",
            "sendPollTerminate",
            "sendPollVote",
            "sendStory",
            "sendUnpinMessage",
            "startCall",
            "subscribeCallEvents",
            "unsubscribeCallEvents",
            "updateDevice",
        }
    ),
    data_directory_flags=("-c", "--config"),
    service_environments=("live", "staging", "sandbox"),
    daemon_flags=(),
    no_channel=(2, _D_BUS),
    unloaded_exit=(2, "Failed to load account file"),
    outdated_exit=(2, "Failed to load account file"),
    outdated_error="AccountCheckException",
    outdated_single="Error while checking account {account}: {why}",
    loads_on_use=False,
    finds_account_by_aci=False,
    reregisters_loaded=False,
    registers_nobody="Method requires valid account parameter",
    unasked_verification=INTERNAL_ERROR,
    extends_subscriptions=False,
    captcha_rejected=errors.USER,
    says_when_to_retry=False,
    minds_receipt_setting=False,
    names_contacts_when_linked=False,
    ends_sessions_silently=False,
    notifies_self_of_anything=False,
    marks_timer_changes=False,
    details_members=False,
    archives_contacts=False,
    wants_attachment_id=False,
    guards_its_data=False,
)

NEW: Final = Version(
    number="0.14.6",
    lacks=frozenset(),
    data_directory_flags=("-d", "--data-dir", "-c", "--config"),
    service_environments=("live", "staging"),
    daemon_flags=("--ignore-avatars", "--ignore-stickers"),
    no_channel=(1, "At least one channel parameter is required, e.g. --socket or --dbus."),
    unloaded_exit=None,
    outdated_exit=(3, "Failed to load local accounts file"),
    outdated_error="IOException",
    outdated_single="Error loading state file for user {account}: {why} (IOException)",
    loads_on_use=True,
    finds_account_by_aci=True,
    reregisters_loaded=True,
    registers_nobody="Method requires account parameter",
    unasked_verification=errors.IO,
    extends_subscriptions=True,
    captcha_rejected=errors.CAPTCHA_REJECTED,
    says_when_to_retry=True,
    minds_receipt_setting=True,
    names_contacts_when_linked=True,
    ends_sessions_silently=True,
    notifies_self_of_anything=True,
    marks_timer_changes=True,
    details_members=True,
    archives_contacts=True,
    wants_attachment_id=True,
    guards_its_data=True,
)

VERSIONS: Final = {"0.13.19": OLD, "0.14": NEW}
"""By the value of `--as`."""

DEFAULT: Final = "0.14"
"""What the container has, and what Signal still takes."""
