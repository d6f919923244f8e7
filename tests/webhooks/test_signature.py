"""Signatures: the vector of the specification, and a verifier that is not ours."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signal_bridge.delivery.webhooks.signature import headers, key_of, new_secret
from signal_bridge.errors import RequestError

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

keys = st.binary(min_size=24, max_size=64)


def verifies(secret: str, sent: dict[str, str], body: bytes) -> bool:
    """As a receiver does it, from the text of the specification."""
    key = base64.b64decode(secret[len("whsec_") :])
    content = b".".join([sent["webhook-id"].encode(), sent["webhook-timestamp"].encode(), body])
    expected = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    given_ = [one.split(",", 1) for one in sent["webhook-signature"].split(" ")]
    return any(version == "v1" and one == expected for version, one in given_)


def secret_of(key: bytes) -> str:
    return "whsec_" + base64.b64encode(key).decode()


def test_the_vector_of_the_specification() -> None:
    sent = headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}', [SECRET])
    assert sent == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@given(keys, st.binary(max_size=200), st.integers(0, 2**40))
def test_a_receiver_can_verify_it(key: bytes, body: bytes, timestamp_s: int) -> None:
    sent = headers("evt_1", timestamp_s, body, [secret_of(key)])
    assert verifies(secret_of(key), sent, body)
    assert not verifies(secret_of(key), sent, body + b"x")


@given(keys, keys, st.binary(max_size=50))
def test_in_a_rotation_either_secret_verifies(old: bytes, new: bytes, body: bytes) -> None:
    sent = headers("evt_1", 1, body, [secret_of(new), secret_of(old)])
    assert verifies(secret_of(old), sent, body)
    assert verifies(secret_of(new), sent, body)


def test_without_a_secret_there_is_no_signature() -> None:
    assert headers("evt_1", 1, b"", []) == {"webhook-id": "evt_1", "webhook-timestamp": "1"}


def test_new_secrets_differ_and_are_valid() -> None:
    one, other = new_secret(), new_secret()
    assert one != other
    assert len(key_of(one)) == 32


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_not base64, surely not base64!",
        secret_of(b"x" * 23),
        secret_of(b"x" * 65),
    ],
)
def test_other_secrets_are_refused_without_being_quoted(secret: str) -> None:
    with pytest.raises(RequestError) as caught:
        key_of(secret)
    assert not secret[6:] or secret[6:] not in str(caught.value)
