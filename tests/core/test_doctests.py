"""The examples in docstrings hold, in every module that can be imported without a browser."""

import doctest
import importlib
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Each folder of modules, and the folder that their names begin at.
FOLDERS = {"pyapp/core": ".", "pyapp/work": ".", "training": ".", "site/assembly": "site"}


def modules_with_examples():
    for folder, start in FOLDERS.items():
        for file in sorted((ROOT / folder).rglob("*.py")):
            if ">>> " in file.read_text():
                parts = file.relative_to(ROOT / start).with_suffix("").parts
                yield ".".join(parts)


@pytest.mark.parametrize("name", list(modules_with_examples()))
def test_examples_hold(name, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path, str(ROOT / "site")])
    found = doctest.testmod(importlib.import_module(name))
    assert found.attempted > 0
    assert found.failed == 0
