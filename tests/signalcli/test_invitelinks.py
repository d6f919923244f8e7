from __future__ import annotations

import pytest

from signal_bridge.errors import RequestError
from signal_bridge.signalcli import invitelinks
from signal_bridge.signalcli.call import Call

ME = "+4915112345"
INTERNAL = "Pmpi+EfPWmsxiomLe9Nx2XF9HOE483p6iKiFj65iMwI="
GROUP = "group.UG1waStFZlBXbXN4aW9tTGU5TngyWEY5SE9FNDgzcDZpS2lGajY1aU13ST0="
KEY = "CjQKID5qYvhHz1prMYqJi3vTcdlxfRzhOPN6eoiohY-uYjMCEhAAAQIDBAUGBwgJCgsMDQ4P"


@pytest.mark.parametrize(
    "link",
    [
        f"https://signal.group/#{KEY}",
        f"https://signal.group#{KEY}",
        f"sgnl://signal.group/#{KEY}",
        f"HTTPS://Signal.Group/#{KEY}",
        f"https://signal.group/#{KEY.replace('-', '+')}",
    ],
)
def test_a_link_goes_to_signal_cli_as_it_is(link: str) -> None:
    assert invitelinks.join(ME, link) == Call("joinGroup", {"uri": link, "account": ME})


def test_spaces_that_were_copied_along_do_not_count() -> None:
    call = invitelinks.join(ME, f" https://signal.group/#{KEY}\n")
    assert call.params == {"uri": f"https://signal.group/#{KEY}", "account": ME}


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        GROUP,
        KEY,
        f"http://signal.group/#{KEY}",
        f"https://signal.group.example/#{KEY}",
        f"https://signal.group/x#{KEY}",
        f"https://signal.group/%23{KEY}",
        "https://signal.me/#eu/abc",
        "sgnl://linkdevice?uuid=x&pub_key=y",
        "https://[signal.group/#x",
    ],
)
def test_what_is_no_invite_link_is_told_what_one_looks_like(text: str) -> None:
    with pytest.raises(RequestError, match=r"begins with https://signal\.group/# or sgnl://"):
        invitelinks.join(ME, text)


@pytest.mark.parametrize("key", ["", "x", KEY[:-3], KEY[:-1], KEY[:20], f"{KEY[:-1]}!", "ä" * 72])
def test_a_link_that_lost_its_end_is_said_to_be_incomplete(key: str) -> None:
    with pytest.raises(RequestError, match=r"^The invite link is not complete"):
        invitelinks.join(ME, f"https://signal.group/#{key}")


@pytest.mark.parametrize("text", ["", " "])
def test_no_link_is_none(text: str) -> None:
    with pytest.raises(RequestError, match=r"^Couldn't process request - invite_link missing$"):
        invitelinks.join(ME, text)


def test_who_has_joined_is_told_where_and_whether_that_is_all() -> None:
    result = {"timestamp": 5, "results": [], "groupId": INTERNAL}
    assert invitelinks.joined(result) == {"id": GROUP, "awaits_approval": False}
    assert invitelinks.joined({**result, "onlyRequested": True}) == {
        "id": GROUP,
        "awaits_approval": True,
    }


def test_a_link_is_reset_and_the_new_one_read_from_the_group() -> None:
    assert invitelinks.reset(ME, INTERNAL) == Call(
        "updateGroup", {"groupId": INTERNAL, "resetLink": True, "account": ME}
    )
    assert invitelinks.link_in([{"groupInviteLink": "https://x"}]) == "https://x"
    assert invitelinks.link_in([{"groupInviteLink": None}]) == ""
    assert invitelinks.link_in([]) == ""
