"""Signatures by the Standard Webhooks specification 1.0.0. Pure.

A receiver that knows the secret computes HMAC-SHA256 over `id.timestamp.body` and compares; the
libraries of https://www.standardwebhooks.com do.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from typing import Final

from signal_bridge.errors import RequestError

PREFIX: Final = "whsec_"
# After a change of the secret the old one signs, too, until every receiver has the new one.
OLD_SECRET_MS: Final = 24 * 3600 * 1000

_NEW_KEY_BYTES: Final = 32
_LEAST_KEY_BYTES: Final = 24
_MOST_KEY_BYTES: Final = 64


def new_secret() -> str:
    """`whsec_` and 32 random bytes in base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_NEW_KEY_BYTES)).decode()


def key_of(secret: str) -> bytes:
    """The key in a secret. Raises RequestError, without the secret in its sentence."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(PREFIX) or not _LEAST_KEY_BYTES <= len(key) <= _MOST_KEY_BYTES:
        raise RequestError(
            f"The secret must be {PREFIX} and then the base64 of "
            f"{_LEAST_KEY_BYTES} to {_MOST_KEY_BYTES} bytes"
        )
    return key


def headers(event_id: str, timestamp_s: int, body: bytes, signing: Sequence[str]) -> dict[str, str]:
    """The headers of one attempt at `timestamp_s` (Unix seconds), signed with each secret.

    Without a secret there is no signature.
    """
    signatures = [_signature(key_of(secret), event_id, timestamp_s, body) for secret in signing]
    signed = {"webhook-signature": " ".join(signatures)} if signatures else {}
    return {"webhook-id": event_id, "webhook-timestamp": str(timestamp_s), **signed}


def _signature(key: bytes, event_id: str, timestamp_s: int, body: bytes) -> str:
    signed = f"{event_id}.{timestamp_s}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
