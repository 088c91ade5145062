"""What training may import: itself downwards, core, and the site's build through one door."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "training").rglob("*.py"))
# From below: a room may import itself and those before it; files outside them belong to none.
ROOMS = ("pictures", "networks", "figures", "steps")


def name_of(file):
    """The module in a file; a package by its own name."""
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(file) for file in FILES}
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


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_training_imports_core_and_the_build_only(file):
    names = {name for name in imported(file) if name != "pyapp"}
    assert [name for name in sorted(names) if not may_import(file, name)] == []


def room_of(name):
    """The place of a module's room in `ROOMS`, or ``None``."""
    parts = name.split(".")
    return ROOMS.index(parts[1]) if len(parts) > 1 and parts[1] in ROOMS else None


def test_no_room_imports_one_above_it():
    upward = []
    for file in FILES:
        own = room_of(name_of(file))
        if name_of(file) == "training.__main__":
            continue
        for name in MODULES.intersection(imported(file)):
            other = room_of(name)
            if other is not None and (own is None or other > own):
                upward.append((name_of(file), name))
    assert upward == []


def test_no_circles():
    packages = {name_of(file) for file in FILES if file.stem == "__init__"}
    edges = {name_of(file): MODULES.intersection(imported(file)) - packages for file in FILES}
    # Raises CycleError, which names the circle.
    assert len(list(TopologicalSorter(edges).static_order())) == len(FILES)
