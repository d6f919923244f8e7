"""The 44 compatibility rules stand in three modules beside this one, each a test or more."""

from __future__ import annotations

import re

from tests.clients import test_rules_answers, test_rules_receiving, test_rules_requests

MODULES = (test_rules_requests, test_rules_answers, test_rules_receiving)


def test_every_rule_has_a_test() -> None:
    said = " ".join(
        view.__doc__ or ""
        for module in MODULES
        for name, view in vars(module).items()
        if name.startswith("test_")
    )
    assert {int(number) for number in re.findall(r"Rule (\d+)", said)} == set(range(1, 45))
