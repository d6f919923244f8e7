"""Profiles, contacts, and what stands between two people: registration, keys, rate limits."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.e2e.real_world import RealWorld
from tests.e2e.world import World
from tests.support import eventually

NOBODY = "+12025550190"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="
)


def send(world: World, *recipients: str, message: str = "hello") -> tuple[int, Any]:
    body = {"number": world.account, "recipients": recipients, "message": message}
    answer = world.bridge.post("/v2/send", json=body)
    return answer.status_code, answer.json()


@pytest.fixture(autouse=True, scope="module")
def acquainted(world: World) -> None:
    world.friend.say("we have met")
    world.hears_text("we have met")


def test_who_is_registered_can_be_asked(world: World) -> None:
    query = {"numbers": [world.friend.number, NOBODY]}
    found = world.bridge.get(f"/v1/search/{world.account}", params=query).json()
    assert {one["number"]: one["registered"] for one in found} == {
        world.friend.number: True, NOBODY: False,
    }  # fmt: skip


def test_a_message_to_nobody_says_so(world: World) -> None:
    status, answer = send(world, NOBODY)
    assert status == 400
    assert (answer["code"], answer["retryable"]) == ("unregistered_recipient", False)


def test_a_message_to_a_friend_and_nobody_reaches_the_friend(world: World) -> None:
    status, answer = send(world, NOBODY, world.friend.number, message="both of you")
    assert status == 201
    missed = (answer[0] if isinstance(answer, list) else answer)["errors"]["recipients"]
    assert missed == [{"number": NOBODY, "reason": "UNREGISTERED_FAILURE"}]
    world.friend.hears_text("both of you")


def test_a_profile_is_changed_and_read_again(world: World) -> None:
    world.call("PUT", "/v1/profiles/{}", name="Alice", about="climbing")
    profile = world.call("GET", "/v1/profiles/{}", 200)
    assert (profile["given_name"], profile["about"]) == ("Alice", "climbing")


def test_a_picture_of_the_profile_is_kept(world: World) -> None:
    picture = base64.b64encode(PNG).decode()
    world.call("PUT", "/v1/profiles/{}", name="Alice", base64_avatar=picture)
    eventually(lambda: world.call("GET", "/v1/profiles/{}", 200)["has_avatar"], 20)
    world.call("PUT", "/v1/profiles/{}", name="Alice")
    eventually(lambda: not world.call("GET", "/v1/profiles/{}", 200)["has_avatar"], 20)


def test_a_friend_is_among_the_contacts(world: World) -> None:
    contacts = world.call("GET", "/v1/contacts/{}", 200)
    (found,) = (one for one in contacts if one["number"] == world.friend.number)
    assert found["uuid"] == world.friend.aci
    assert found["profile_name"].lower() == "bob"
    assert world.call("GET", f"/v1/contacts/{{}}/{world.friend.aci}", 200)["uuid"] == found["uuid"]


def test_messages_of_a_chat_disappear_after_a_while(world: World) -> None:
    path = f"/v1/contacts/{{}}/{world.friend.aci}"
    for seconds in (3600, 0):
        body = {"recipient": world.friend.number, "expiration_in_seconds": seconds}
        world.call("PUT", "/v1/contacts/{}", 204, **body)
        assert world.call("GET", path, 200)["message_expiration"] == str(seconds)


def test_on_a_linked_device_a_name_is_refused_and_the_timer_told(real: RealWorld) -> None:
    body = {"recipient": real.friend.number, "name": "Robert", "expiration_in_seconds": 60}
    answer = real.call("PUT", "/v1/contacts/{}", 400, **body)
    assert answer["error"].startswith("Changed: expiration_in_seconds. Not changed: name. ")
    found = real.call("GET", f"/v1/contacts/{{}}/{real.friend.aci}", 200)
    assert found["message_expiration"] == "60"
    body = {"recipient": real.friend.number, "expiration_in_seconds": 0}
    real.call("PUT", "/v1/contacts/{}", 204, **body)


def test_a_friends_keys_are_known_and_not_verified(world: World) -> None:
    identities = world.call("GET", "/v1/identities/{}", 200)
    status = {one["number"]: one["status"] for one in identities}
    assert status[world.friend.number] == "TRUSTED_UNVERIFIED"
    assert status[world.account] == "TRUSTED_VERIFIED"


def test_changed_keys_have_to_be_trusted_first(world: World) -> None:
    somebody = world.somebody_with_new_keys()

    def refused() -> bool:
        status, answer = send(world, somebody)
        # signal-cli may notice the new keys in the middle of sending; trying again is right.
        assert answer["code"] == "untrusted_identity" or answer["retryable"], answer
        return (status, answer["code"]) == (400, "untrusted_identity")

    eventually(refused)
    trust = f"/v1/identities/{{}}/trust/{somebody}"
    world.call("PUT", trust, trust_all_known_keys=True)
    eventually(lambda: send(world, somebody)[0] == 201)


def test_a_rate_limit_is_lifted_by_a_captcha(world: World) -> None:
    somebody = world.somebody_behind_a_challenge()
    status, answer = send(world, somebody)
    assert (status, answer["code"], answer["retryable"]) == (429, "rate_limited", True)
    (token,) = answer["challenge_tokens"]
    solved = {"challenge_token": token, "captcha": "signalcaptcha://solved"}
    world.call("POST", "/v1/accounts/{}/rate-limit-challenge", **solved)
    assert send(world, somebody)[0] == 201


def test_a_username_is_set_and_deleted(world: World) -> None:
    answer = world.call("POST", "/v1/accounts/{}/username", 201, username="alice")
    assert answer["username"].startswith("alice.")
    assert answer["username_link"].startswith("https://signal.me/#eu/")
    world.call("DELETE", "/v1/accounts/{}/username")


def test_a_friends_profile_has_a_name(world: World) -> None:
    path = f"/v1/contacts/{{}}/{world.friend.aci}"
    name = lambda: world.call("GET", path, 200)["profile_name"].lower()  # noqa: E731
    eventually(lambda: name() == "bob", 20)


def test_what_cannot_be_read_is_told(real: RealWorld) -> None:
    """Somebody writes with keys that nobody has trusted yet."""
    number = real.somebody_with_new_keys()
    phone = next(one for one in real.mock.phones if one.number == number)
    phone.send(real.account, dataMessage={"body": "it is me"})

    def told() -> bool:
        elements = real.reader.poll()
        return any(
            one.get("exception", {}).get("type") == "UntrustedIdentityException" for one in elements
        )

    eventually(told, 20)
