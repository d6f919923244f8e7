"""A body that the route does not want, or that has odd parts, is nobody's trouble."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from tests.support import Bridge

ANN = "+12025550100"


@pytest.fixture(scope="module")
def sandboxed() -> Iterator[Bridge]:
    with Bridge(MODE="sandbox") as sandboxed:
        yield sandboxed.wait_ready()


@pytest.mark.parametrize(("path", "status"), [(f"/v1/contacts/{ANN}/sync", 204), ("/nothing", 404)])
def test_the_next_request_of_the_connection_is_answered(
    sandboxed: Bridge, path: str, status: int
) -> None:
    with requests.Session() as session:
        for _ in range(100):
            answer = session.post(sandboxed.url + path, json={"not": "wanted"}, timeout=10)
            assert answer.status_code == status


@pytest.mark.parametrize("size_bytes", [65_000, 66_000, 200_000, 1_100_000])
def test_a_large_body_that_nobody_wants_holds_up_nothing(
    sandboxed: Bridge, size_bytes: int
) -> None:
    with requests.Session() as session:
        for _ in range(3):
            answer = session.post(
                f"{sandboxed.url}/v1/contacts/{ANN}/sync", data=b"x" * size_bytes, timeout=20
            )
            assert answer.status_code == 204


def test_a_part_of_a_form_without_a_name_is_ignored(sandboxed: Bridge) -> None:
    part = "--x\r\nContent-Disposition: form-data; {}\r\n\r\n{}\r\n"
    body = part.format('x="y"', "?") + part.format('name="message"', "hi") + "--x--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = sandboxed.post("/v2/send", data=body, headers=headers)
    assert answer.status_code == 400
    assert "recipient" in answer.json()["error"]
