"""What training may import: itself without circles, core, and the site's build through one door."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "training").glob("*.py"))
MODULES = {f"training.{file.stem}" for file in FILES}
OUR_OWN = ("training", "pyapp", "assembly", "serve", "tests")
BROWSER = {"js", "pyodide", "pyodide_js", "pyscript"}


def imported(file):
    """Every module that a file imports, and every name that it takes from one."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: write the full name instead of a relative import"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def may_import(file, name):
    parts = name.split(".")
    if parts[0] in BROWSER:
        return False
    if parts[0] not in OUR_OWN:
        return True
    if parts[0] == "assembly":
        return file.stem == "site_tools"
    return parts[0] == "training" or parts[:2] == ["pyapp", "core"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_training_imports_core_and_the_build_only(file):
    names = {name for name in imported(file) if name != "pyapp"}
    assert [name for name in sorted(names) if not may_import(file, name)] == []


def test_no_circles():
    edges = {f"training.{file.stem}": MODULES.intersection(imported(file)) for file in FILES}
    # Raises CycleError, which names the circle.
    assert len(list(TopologicalSorter(edges).static_order())) == len(FILES)
