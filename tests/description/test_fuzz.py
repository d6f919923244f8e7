"""Requests made from the document against the bridge on the sandbox: no surprise in any answer.

Schemathesis makes them, valid and not, always the same ones. An answer may be no 5xx but the 501 of
a signal-cli that is too old, must have a status that the document has for it, and a body as the
document says.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from zlib import crc32

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import GenerationMode, checks
from schemathesis.specs.openapi import checks as openapi_checks

from signal_bridge.web.description.document import document
from signal_bridge.web.surface import RAW_DIALECT, SURFACE
from tests.support import Bridge
from tests.support.described import check_response

ANN, CAROL, DAVE = "+12025550100", "+12025550102", "+12025550103"
NEWCOMER = "+12025550170"
EXAMPLES = 8


@schemathesis.check
def no_surprise(context: Any, response: Any, case: Any) -> bool | None:
    """The version that the sandbox imitates may lack a method."""
    if response.status_code == 501:
        return None
    return checks.not_a_server_error(context, response, case)


CHECKS = [
    no_surprise,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_schema_conformance,
]
# An answer of these has no end.
ENDLESS = ("/api/v1/events",)
# These take the account from everybody else, so each gets one that nobody else uses. So does
# registering an account anew, and being told not to delete it: signal-cli lets go of it
# (signal-cli.rst 1.6, 2.4), and until it is back, what needs it is told to come back later (503).
OF_THEIR_OWN = {
    "/v1/unregister/{number}": DAVE,
    "/v1/devices/{number}/local-data": CAROL,
    "/v1/register/{number}": NEWCOMER,
    "/v1/register/{number}/verify/{token}": NEWCOMER,
}
# signal-cli's refusal is a 500 there, as with the peer (rest-surface.rst C17): the account has to
# exist.
REFUSED_WITH_500 = "/v1/identities/{number}"
# These wait for something to happen; the waiting has tests of its own.
WAITING = ("/v1/receive/{number}", "/v1/events", "/v1/link/{link_id}")

DOCUMENT = document((*SURFACE, *RAW_DIALECT))
schema = schemathesis.openapi.from_dict(DOCUMENT)
schema.config.generation.update(modes=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE])


@pytest.fixture(scope="module")
def sandboxed() -> Iterator[Bridge]:
    nowhere = "0.0.0.0/0,::/0"
    with Bridge(MODE="sandbox", BRIDGE_WEBHOOK_DENY=nowhere) as sandboxed:
        yield sandboxed.wait_ready()


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    """One whose answers are checked here as well: they have no key that is not named."""
    with requests.Session() as session:
        session.hooks["response"].append(lambda response, **_: check_response(response))
        yield session


def test_it_is_the_served_document(sandboxed: Bridge) -> None:
    assert sandboxed.get("/openapi.json").json() == DOCUMENT


def tame(case: Any) -> None:
    """Nobody waits for long, nothing is taken from the others, and signal-cli is reached."""
    if str((case.query or {}).get("timeout", "1")).isdigit() and case.path in WAITING:
        case.query = {**(case.query or {}), "timeout": "0"}
    if "number" in (case.path_parameters or {}):
        case.path_parameters["number"] = account(case.path, case.path_parameters["number"])


def account(path: str, generated: str) -> str:
    """Three of four times one that exists."""
    if path in OF_THEIR_OWN:
        return OF_THEIR_OWN[path]
    known = path == REFUSED_WITH_500 or crc32(str(generated).encode()) % 4
    return ANN if known else generated


def fuzz(operation_id: str) -> Any:
    """The test of one operation."""

    @schema.include(operation_id=operation_id).parametrize()
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def answers_are_as_described(case: Any, sandboxed: Bridge, session: requests.Session) -> None:
        tame(case)
        case.call_and_validate(base_url=sandboxed.url, session=session, checks=CHECKS, timeout=30)

    return answers_are_as_described


# A function for each: what one function makes shares one id, of which pytest-xdist runs one test.
for path, operations in DOCUMENT["paths"].items():
    if path not in ENDLESS:
        for operation in operations.values():
            globals()[f"test_{operation['operationId']}"] = fuzz(operation["operationId"])
