from __future__ import annotations

from typing import Any

import pytest

from signal_bridge.errors import RequestError
from signal_bridge.signalcli import memberlabels
from signal_bridge.signalcli.call import Call

ME = "+4915112345"
INTERNAL = "Pmpi+EfPWmsxiomLe9Nx2XF9HOE483p6iKiFj65iMwI="


@pytest.mark.parametrize(
    ("label", "emoji", "params"),
    [
        ("Boss", "👑", {"memberLabel": "Boss", "memberLabelEmoji": "👑"}),
        ("Boss", None, {"memberLabel": "Boss"}),
        (None, "", {"memberLabelEmoji": ""}),
        ("", "", {"memberLabel": "", "memberLabelEmoji": ""}),
    ],
)
def test_what_is_left_out_stays_and_what_is_empty_goes(
    label: str | None, emoji: str | None, params: dict[str, str]
) -> None:
    call = memberlabels.change_own_label(ME, INTERNAL, label, emoji)
    assert call == Call("updateGroup", {"groupId": INTERNAL, **params, "account": ME})


def test_nothing_is_no_change() -> None:
    with pytest.raises(RequestError, match=r"label or label_emoji missing$"):
        memberlabels.change_own_label(ME, INTERNAL)


@pytest.mark.parametrize(
    ("result", "nothing"), [({"timestamp": 5, "results": []}, False), ({}, True), (None, True)]
)
def test_a_change_is_told_to_the_group(result: Any, nothing: bool) -> None:
    assert memberlabels.changed_nothing(result) is nothing


@pytest.mark.parametrize(
    ("listed", "known"),
    [
        ([{"members": [{"number": "+491", "isAdmin": False}]}], True),
        ([{"members": [{"number": "+491"}]}], False),
        ([{"members": None}], False),
        ([], False),
    ],
)
def test_a_signal_cli_that_knows_labels_says_who_is_an_admin(listed: Any, known: bool) -> None:
    assert memberlabels.are_known(listed) is known


@pytest.mark.parametrize("members", [5, "x", [5]])
def test_members_of_another_type_are_an_invalid_response(members: Any) -> None:
    with pytest.raises(RequestError, match="invalid signal-cli response"):
        memberlabels.are_known([{"members": members}])
