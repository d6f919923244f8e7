"""No circle of imports, and no module beyond reading."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

import grimp
import pytest

from tests.rooms.linting import PACKAGE, ROOT

MODULE_LINES = 400


@pytest.fixture
def graph() -> grimp.ImportGraph:
    """The modules and what each imports, in functions too."""
    return grimp.build_graph(PACKAGE, cache_dir=None)


def circle(graph: grimp.ImportGraph) -> list[str]:
    """Modules each of which imports the one before it, the first of them the last; empty: none."""
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_modules_import_each_other_in_a_circle(graph: grimp.ImportGraph) -> None:
    assert circle(graph) == []


def test_a_circle_is_found_through_any_number_of_modules(graph: grimp.ImportGraph) -> None:
    graph.add_import(importer="signal_bridge.errors", imported="signal_bridge.cli")
    assert {"signal_bridge.errors", "signal_bridge.cli"} <= set(circle(graph))


def test_every_module_can_be_read_in_one_sitting() -> None:
    too_long = {
        str(module.relative_to(ROOT)): lines
        for module in (ROOT / PACKAGE).rglob("*.py")
        if (lines := len(module.read_text().splitlines())) > MODULE_LINES
    }
    assert too_long == {}
