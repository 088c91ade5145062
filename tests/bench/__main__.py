"""Measure everything in one run and print one table; ``--write`` puts it into the README.

The first step is that of ``python -m tests``: make the virtual environment, find a browser.
"""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.__main__ import BROWSER_NOTE, PYTHON, ROOT, prepare

README = ROOT / "README.md"
MARKED = re.compile(r"(<!-- bench -->\n).*?(<!-- /bench -->)", re.DOTALL)


def main() -> int:
    """Set up, go on inside the virtual environment, measure, print."""
    if Path(sys.prefix).resolve() != PYTHON.parent.parent.resolve():
        prepare()
        environment = os.environ | {"LOOKDOWN_CHROMIUM": BROWSER_NOTE.read_text()}
        command = [str(PYTHON), "-m", "tests.bench", *sys.argv[1:]]
        return subprocess.call(command, cwd=ROOT, env=environment)
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="starts of each kind")
    parser.add_argument("--clicks", type=int, default=40, help="answers of each kind")
    parser.add_argument("--write", action="store_true", help="put the table into the README")
    options = parser.parse_args()
    from tests.bench.measure import measure

    table = measure(options.rounds, options.clicks)
    print(table)
    if options.write:
        text = README.read_text(encoding="utf-8")
        README.write_text(MARKED.sub(rf"\g<1>{table}\g<2>", text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
