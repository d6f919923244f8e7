"""Making a group that can be written to, or none (rest-surface.rst 5.4)."""

from __future__ import annotations

import dataclasses
import logging
from functools import partial

from flask import g

from signal_bridge.errors import DaemonError, Refused
from signal_bridge.signalcli import groupoutcomes, groups, profiles
from signal_bridge.signalcli.groups import MemberChange, NewGroup
from signal_bridge.web.edge.context import bridge
from signal_bridge.web.routes.outcomes import run_in_group

log = logging.getLogger(__name__)


def make_group(number: str, group: NewGroup) -> str:
    """The internal id of the new group.

    When signal-cli makes one of the old kind, that is taken back and a second attempt made. Raises
    Refused when no group came out, or not all of it, and as `Gateway.run`.
    """
    made = _create(number, group)
    if not groupoutcomes.is_legacy(made):
        return made
    log.warning("%s signal-cli made a group of the old kind; trying again", g.request_id)
    listed_still = _undo(number, made)
    if listed_still is not None:
        raise groupoutcomes.only_legacy(listed_still)
    return _make_by_steps(number, group)


def _make_by_steps(number: str, group: NewGroup) -> str:
    """The group without its members first: it fails for the account's sake, or for theirs."""
    _refresh_profile(number)
    made = _create(number, dataclasses.replace(group, members=()))
    if groupoutcomes.is_legacy(made):
        raise groupoutcomes.only_legacy(_undo(number, made))
    if group.members:
        _add_members(number, made, group)
    return made


def _add_members(number: str, made: str, group: NewGroup) -> None:
    call = groups.change_members(number, made, MemberChange.ADD_MEMBERS, group.members)
    are_added = partial(groupoutcomes.are_changed, MemberChange.ADD_MEMBERS, group.members)
    try:
        run_in_group(number, made, call, are_added)
    except Refused as error:
        raise groupoutcomes.without_members(error, _undo(number, made)) from error


def _create(number: str, group: NewGroup) -> str:
    try:
        result = bridge().gateway.run(groups.create_group(number, group))
    except Refused as error:
        raise groupoutcomes.refused_creation(group, error) from error
    return groups.created_group(result)


def _refresh_profile(number: str) -> None:
    """Without a profile of its own at Signal, an account can make no current group."""
    try:
        bridge().gateway.run(profiles.refresh_profile(number))
    except Refused as error:  # the attempt that follows tells whether it was needed
        log.warning("%s updateProfile: %s", g.request_id, error.code)


def _undo(number: str, made: str) -> str | None:
    """Leave and forget a group that was just made; its id if that failed, as it is listed still.

    One that was left, and then refused, is forgotten at the second time. Without an answer there
    is none.
    """
    for _ in range(2):
        try:
            bridge().gateway.run(groups.undo_group(number, made))
        except Refused as error:
            log.warning("%s quitGroup: %s", g.request_id, error.code)
        except DaemonError as error:
            log.warning("%s quitGroup: %s", g.request_id, error.code)
            break
        else:
            return None
    return made
