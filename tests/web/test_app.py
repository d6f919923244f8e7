"""The application is made of the table of routes, and of nothing else."""

from __future__ import annotations

from typing import Any, cast

import pytest

from signal_bridge.settings import read_settings
from signal_bridge.web.app import create_app
from signal_bridge.web.bridge import Bridge
from signal_bridge.web.surface import RAW_DIALECT, SURFACE


class OnlySettings:
    """What creating an application reads of a bridge."""

    def __init__(self, mode: str) -> None:
        self.settings = read_settings({"MODE": mode, "HOME": "/nowhere"})


def app_in(mode: str) -> Any:
    return create_app(cast(Bridge, OnlySettings(mode)))


def test_there_is_one_blueprint_for_each_resource() -> None:
    assert set(app_in("json-rpc").blueprints) == {route.resource for route in SURFACE + RAW_DIALECT}


@pytest.mark.parametrize(("mode", "extra"), [("normal", ()), ("json-rpc", RAW_DIALECT)])
def test_the_routes_are_those_of_the_table(mode: str, extra: Any) -> None:
    found = {
        (method, rule.rule): app.view_functions[rule.endpoint]
        for app in [app_in(mode)]
        for rule in app.url_map.iter_rules()
        for method in rule.methods or ()
        if method not in ("HEAD", "OPTIONS")
    }
    assert found == {(route.method, route.path): route.view for route in (*SURFACE, *extra)}


def test_two_applications_know_nothing_of_each_other() -> None:
    first, second = app_in("normal"), app_in("normal")
    assert first.blueprints["messages"] is not second.blueprints["messages"]
