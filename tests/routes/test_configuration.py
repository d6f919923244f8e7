"""The log level, for all workers, and trust modes in `api-config.yml`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from signal_bridge import trustmodes
from tests.routes.conftest import ACCOUNT
from tests.support import Bridge

SETTINGS = {
    "MODE": "normal",
    "BRIDGE_WORKERS": 2,
    "JSON_RPC_TRUST_NEW_IDENTITIES": "never",
    "LOG_LEVEL": "warn",
}
TRUST = f"/v1/configuration/{ACCOUNT}/settings"


@pytest.fixture
def config(served: Bridge) -> Iterator[Path]:
    path = served.config_dir / "api-config.yml"
    yield path
    path.unlink(missing_ok=True)


def level(served: Bridge) -> str:
    answer = served.get("/v1/configuration")
    assert answer.status_code == 200
    found: str = answer.json()["logging"]["Level"]
    return found


@pytest.mark.parametrize(
    ("word", "shown"), [("debug", "debug"), ("info", "info"), ("error", ""), ("warn", "warn")]
)
def test_every_worker_tells_the_level_that_was_set(word: str, shown: str, served: Bridge) -> None:
    for key in ("Level", "level"):
        done = served.post("/v1/configuration", json={"logging": {key: word}})
        assert (done.status_code, done.content) == (204, b"")
        assert {level(served) for _ in range(20)} == {shown}


@pytest.mark.parametrize("word", ["INFO", "warning", "x"])
def test_a_level_that_is_none_changes_nothing(word: str, served: Bridge) -> None:
    before = level(served)
    answer = served.post("/v1/configuration", json={"logging": {"Level": word}})
    assert answer.status_code == 400
    assert answer.json()["error"] == "Couldn't set log level - invalid log level"
    assert level(served) == before


@pytest.mark.parametrize(
    "body", [{}, {"logging": None}, {"logging": {}}, {"logging": {"level": ""}}]
)
def test_no_level_changes_nothing(body: dict[str, object], served: Bridge) -> None:
    before = level(served)
    assert served.post("/v1/configuration", json=body).status_code == 204
    assert level(served) == before


def test_the_level_is_the_one_that_is_logged(served: Bridge) -> None:
    served.post("/v1/configuration", json={"logging": {"Level": "error"}})
    for _ in range(20):
        served.get("/v1/configuration", headers={"X-Request-ID": "not-logged"})
    served.post("/v1/configuration", json={"logging": {"Level": "info"}})
    for _ in range(20):
        served.get("/v1/configuration", headers={"X-Request-ID": "logged-again"})
    assert "logged-again" in served.log
    assert "not-logged" not in served.log


def test_the_trust_mode_is_the_daemons_until_one_is_stored(served: Bridge, config: Path) -> None:
    assert served.get(TRUST).json() == {"trust_mode": "never"}
    for mode in trustmodes.MODES:
        done = served.post(TRUST, json={"trust_mode": mode})
        assert (done.status_code, done.content) == (204, b"")
        assert served.get(TRUST).json() == {"trust_mode": mode}
    assert served.get("/v1/configuration/+49999/settings").json() == {"trust_mode": "never"}


def test_the_file_is_the_peers(served: Bridge, config: Path) -> None:
    config.write_text('config:\n  "+4920":\n    trust_mode: 2\n')
    served.post(TRUST, json={"trust_mode": "always"})
    assert config.read_text() == (
        "config:\n  '+4915112345':\n    trust_mode: 1\n  '+4920':\n    trust_mode: 2\n"
    )
    assert [path.name for path in served.config_dir.glob("*api-config*")] == ["api-config.yml"]


def test_a_stored_mode_that_is_none_is_told(served: Bridge, config: Path) -> None:
    config.write_text(f'config:\n  "{ACCOUNT}":\n    trust_mode: 3\n')
    answer = served.get(TRUST)
    assert (answer.status_code, answer.json()["error"]) == (400, "Invalid trust mode")


def test_a_file_of_another_kind_is_left_as_it_is(served: Bridge, config: Path) -> None:
    config.write_text("config: [1, 2]\n")
    for answer in (served.get(TRUST), served.post(TRUST, json={"trust_mode": "always"})):
        assert answer.status_code == 503
        assert "api-config.yml" in answer.json()["error"]
    assert config.read_text() == "config: [1, 2]\n"


@pytest.mark.parametrize("account", ["+15550000000", "ssrf", "*", "a%00b", "%F0%9F%98%80" * 20])
def test_no_trust_mode_is_kept_for_an_account_that_is_not_here(
    account: str, served: Bridge, config: Path
) -> None:
    answer = served.post(f"/v1/configuration/{account}/settings", json={"trust_mode": "always"})
    assert answer.status_code == 400
    assert "account" in answer.json()["error"] or "not registered" in answer.json()["error"]
    assert not config.exists()
