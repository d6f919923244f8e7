"""What stands in deploy/ can be read by what it is meant for, and agrees with the program."""

from __future__ import annotations

import configparser
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from signal_bridge import __version__
from signal_bridge.clientaddress import client_of
from signal_bridge.settings import read_settings

DEPLOY = Path(__file__).parent.parent / "deploy"
COMPOSE_FILES = ("compose.yaml", "dokploy/docker-compose.yml", "split/compose.yaml")


def compose(name: str) -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / name).read_text())


@pytest.mark.parametrize("name", COMPOSE_FILES)
def test_every_service_runs_this_version_without_needless_rights(name: str) -> None:
    for service in compose(name)["services"].values():
        assert service["image"] == f"signal-bridge:{__version__}"
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]


@pytest.mark.parametrize("name", COMPOSE_FILES)
def test_every_service_keeps_the_account_in_a_volume(name: str) -> None:
    content = compose(name)
    for service in content["services"].values():
        assert "signal-data:/home/.local/share/signal-cli" in service["volumes"]
    assert "signal-data" in content["volumes"]


@pytest.mark.parametrize("name", ["compose.yaml", "dokploy/docker-compose.yml"])
def test_behind_traefik_a_request_is_its_clients_and_not_the_proxys(name: str) -> None:
    (service,) = compose(name)["services"].values()
    environment = service["environment"]
    if isinstance(environment, list):
        environment = dict(line.split("=", 1) for line in environment)
    text = re.sub(r"\$\{\w+:-(.*)\}", r"\1", environment["BRIDGE_TRUSTED_PROXIES"])
    settings = read_settings({"HOME": "/nowhere", "BRIDGE_TRUSTED_PROXIES": text})
    trusted = settings.trusted_proxies
    assert client_of("172.18.0.2", "203.0.113.7", trusted) == "203.0.113.7"
    assert client_of("203.0.113.9", "203.0.113.7", trusted) == "203.0.113.9"


def test_the_dokploy_template_fits_its_compose_file() -> None:
    template = tomllib.loads((DEPLOY / "dokploy/template.toml").read_text())
    meta = json.loads((DEPLOY / "dokploy/meta.json").read_text())
    services = compose("dokploy/docker-compose.yml")["services"]
    (domain,) = template["config"]["domains"]
    assert domain["serviceName"] in services
    assert domain["port"] in services[domain["serviceName"]]["expose"]
    assert meta["version"] == __version__
    assert (DEPLOY / "dokploy" / meta["logo"]).is_file()
    given = {line.partition("=")[0] for line in template["config"]["env"]}
    used = set(re.findall(r"\$\{(\w+)\}", (DEPLOY / "dokploy/docker-compose.yml").read_text()))
    assert used <= given


def test_dokploy_finds_nothing_that_its_validator_refuses() -> None:
    content = compose("dokploy/docker-compose.yml")
    assert "networks" not in content
    for service in content["services"].values():
        assert not {"container_name", "networks", "ports"} & service.keys()


def test_the_unit_stops_the_supervisor_alone_and_keeps_its_state() -> None:
    # systemd's format allows a key more than once.
    unit = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    unit.read(DEPLOY / "systemd/signal-bridge.service")
    service = unit["Service"]
    assert service["KillMode"] == "mixed"
    assert service["ExecStart"].endswith("signal-bridge serve")
    assert service["StateDirectory"] == "signal-bridge"
    assert service["RestartPreventExitStatus"] == "2"


def test_the_constraints_pin_everything_exactly() -> None:
    lines = (DEPLOY / "constraints.txt").read_text().splitlines()
    loose = [line for line in lines if not re.fullmatch(r"#.*|[\w.-]+==[\w.]+", line)]
    assert loose == []


def requirements(section: str, key: str) -> list[str]:
    config = configparser.ConfigParser(interpolation=None)
    config.read(DEPLOY.parent / "setup.cfg")
    lines = config[section][key].splitlines()
    return [line for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize(
    ("section", "key"), [("options", "install_requires"), ("options.extras_require", "test")]
)
def test_nothing_that_everybody_installs_needs_a_compiler(section: str, key: str) -> None:
    needs_a_compiler = re.compile(r"gunicorn_h1c|gunicorn\[|psycopg\[c\]", re.IGNORECASE)
    assert [line for line in requirements(section, key) if needs_a_compiler.match(line)] == []


def test_the_fast_parser_is_for_the_gunicorn_that_everybody_installs() -> None:
    (fast,) = requirements("options.extras_require", "fast")
    assert fast.replace("[fast]", "") in requirements("options", "install_requires")


def test_the_container_starts_the_bridge_and_not_as_root() -> None:
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    users = [line for line in lines if line.startswith("USER ")]
    assert users == ["USER 1000:1000"]
    assert 'ENTRYPOINT ["/usr/bin/tini", "--", "signal-bridge"]' in lines
