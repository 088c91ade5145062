"""Imports point one way: main -> ui -> {bridge, work} -> core, and bridge -> work.ports.

The command is beside the page: native -> work -> core; nothing of the page knows it.

Training and the build have arrows of their own: `tests/training`, `tests/serve`.
"""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BROWSER = {"js", "pyodide", "pyodide_js", "pyscript", "_pyscript", "polyscript"}
OURS = ("pyapp", "training", "tests", "assembly")
# What each part may import of the project, and of the browser.
ALLOWED = {
    "pyapp/core": ({"pyapp.core"}, set()),
    "pyapp/work": ({"pyapp.core", "pyapp.work"}, set()),
    "pyapp/bridge": (
        {"pyapp.core", "pyapp.work.ports", "pyapp.work.tasks", "pyapp.bridge"},
        BROWSER,
    ),
    "pyapp/ui": ({"pyapp.core", "pyapp.work", "pyapp.bridge", "pyapp.ui"}, {"pyscript"}),
    "pyapp/main.py": ({"pyapp.ui.page"}, set()),
    "pyapp/native": ({"pyapp.core", "pyapp.work", "pyapp.native", "assembly"}, set()),
    "pyapp/__main__.py": ({"pyapp.native.command"}, set()),
}
# Of PyScript, ui may use what concerns the document.
UI_OF_PYSCRIPT = {"web", "when"}
# Of ui, only this may know parts of all rooms.
COMPOSITION_ROOT = "pyapp/ui/page.py"
LIBRARIES = {"pyapp/core": {"numpy", "PIL"}, "pyapp/work": {"numpy"}}


def files(part):
    path = ROOT / part
    return sorted(path.rglob("*.py")) if path.is_dir() else [path]


def imports(file):
    """Every (module, names) that a file imports."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, set()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: write the whole name instead of a relative import"
            yield node.module, {alias.name for alias in node.names}


def wrong_imports(part):
    ours, browser = ALLOWED[part]
    for file in files(part):
        for module, names in imports(file):
            top = module.split(".")[0]
            full = {f"{module}.{name}" for name in names} | {module}
            if top in OURS:
                if not any(
                    name == own or name.startswith(own + ".") for name in full for own in ours
                ):
                    yield f"{file.relative_to(ROOT)} imports {module}"
            elif top in BROWSER:
                fine = top in browser and (part != "pyapp/ui" or names <= UI_OF_PYSCRIPT)
                if not fine:
                    yield f"{file.relative_to(ROOT)} imports {module} {names or ''}"


@pytest.mark.parametrize("part", sorted(ALLOWED))
def test_imports_point_one_way(part):
    assert list(wrong_imports(part)) == []


@pytest.mark.parametrize("part", sorted(LIBRARIES))
def test_few_libraries_are_needed(part):
    tops = {module.split(".")[0] for file in files(part) for module, _ in imports(file)}
    assert tops - set(sys.stdlib_module_names) - {"pyapp"} <= LIBRARIES[part]


def test_wording_needs_no_screen():
    found = [file for file in files("pyapp/ui") if file.name == "wording.py"]
    assert len(found) >= 3
    for file in found:
        for module, _ in imports(file):
            assert module.split(".")[0] not in BROWSER and "bridge" not in module, file


def test_background_work_begins_in_one_place():
    """So that no failure vanishes: see `pyapp.work.tasks`."""
    for file in files("pyapp"):
        if file.name != "tasks.py":
            text = file.read_text()
            assert "ensure_future(" not in text and "create_task(" not in text, file


def test_parts_take_few_arguments():
    """One that takes nine does too much."""
    for file in files("pyapp"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef) and file != ROOT / COMPOSITION_ROOT:
                assert len(node.args.args) <= 9, f"{file}: {node.name}"


def test_no_circles():
    modules = {
        ".".join(file.relative_to(ROOT).with_suffix("").parts): file for file in files("pyapp")
    }
    edges = {
        name: {
            target
            for module, names in imports(file)
            for target in {module} | {f"{module}.{each}" for each in names}
            if target in modules
        }
        for name, file in modules.items()
    }
    done, path = set(), []

    def visit(name):
        assert name not in path, " -> ".join([*path, name])
        if name not in done:
            path.append(name)
            for target in sorted(edges[name]):
                visit(target)
            path.pop()
            done.add(name)

    for name in modules:
        visit(name)
