"""The build of the page needs nothing but itself and the standard library."""

import ast
import sys

import pytest

from tests.serve.conftest import ROOT

ASSEMBLY = sorted((ROOT / "site" / "assembly").glob("*.py"))
# Two run inside Pyodide, with what it brings, and one inside hatchling.
INSIDE = {"to_webp.py": {"PIL"}, "slim.py": set(), "wheel.py": {"assembly", "hatchling"}}


def imports(file):
    """The first part of every name that a file imports."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (each.name.split(".")[0] for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: write the full name instead of a relative import"
            yield node.module.split(".")[0]


@pytest.mark.parametrize("file", [*ASSEMBLY, ROOT / "serve.py"], ids=lambda file: file.name)
def test_the_build_imports_itself_and_the_standard_library(file):
    allowed = INSIDE.get(file.name, {"assembly"})
    assert set(imports(file)) - set(sys.stdlib_module_names) <= allowed
