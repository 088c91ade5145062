"""The code is as mypy would have it, by the settings in pyproject.toml."""

import subprocess
import sys

from tests.serve.conftest import ROOT


def test_mypy_is_content():
    done = subprocess.run(
        [sys.executable, "-m", "mypy"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
