"""Imports point one way: main -> ui -> bridge -> core, and training -> core."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BROWSER = {"js", "pyodide", "pyodide_js", "pyscript", "_pyscript", "polyscript"}
# What each part may import of the project, and of the browser.
ALLOWED = {
    "pyapp/core": ({"pyapp.core"}, set()),
    "pyapp/bridge": ({"pyapp.core", "pyapp.bridge"}, BROWSER),
    "pyapp/ui": ({"pyapp.core", "pyapp.bridge", "pyapp.ui"}, {"pyscript"}),
    "pyapp/main.py": ({"pyapp.bridge", "pyapp.ui"}, set()),
    "training": ({"pyapp.core", "training"}, set()),
}
# Of PyScript, ui may use what concerns the document.
UI_OF_PYSCRIPT = {"web", "when"}
CORE_LIBRARIES = {"numpy", "PIL"}


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
            if top in ("pyapp", "training", "tests"):
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


def test_core_needs_numpy_pillow_and_the_standard_library_only():
    import sys

    tops = {module.split(".")[0] for file in files("pyapp/core") for module, _ in imports(file)}
    assert tops - set(sys.stdlib_module_names) - {"pyapp"} <= CORE_LIBRARIES


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
