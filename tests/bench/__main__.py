"""Measure everything in one run and print one table; ``--write`` puts it into the README.

``kills``, ``endurance`` and ``survey`` are measurements of their own, about ten minutes each.

The first step is that of ``python -m tests``: make the virtual environment, find a browser.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.__main__ import PYTHON, ROOT, inside, name_chromium, prepare

README = ROOT / "README.md"
MARKS = {
    "table": re.compile(r"(<!-- bench -->\n).*?(<!-- /bench -->)", re.DOTALL),
    "survey": re.compile(r"(<!-- bench survey -->\n).*?(<!-- /bench survey -->)", re.DOTALL),
}


def main() -> int:
    """Set up, go on inside the virtual environment, measure, print."""
    if not inside():
        prepare()
        return subprocess.call([str(PYTHON), "-m", "tests.bench", *sys.argv[1:]], cwd=ROOT)
    name_chromium()
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "what", nargs="?", choices=("table", "kills", "endurance", "survey"), default="table"
    )
    parser.add_argument("--rounds", type=int, default=5, help="starts of each kind")
    parser.add_argument("--clicks", type=int, default=40, help="answers of each kind")
    parser.add_argument("--times", type=int, default=50, help="kills")
    parser.add_argument("--count", type=int, default=10_000, help="classifications of endurance")
    parser.add_argument("--squares", type=int, default=10_000, help="squares of the survey")
    parser.add_argument("--write", action="store_true", help="put the table into the README")
    options = parser.parse_args()
    from tests.bench.measure import measure

    table = options.what == "table"
    found = measure(options.rounds, options.clicks) if table else _long(options)
    print(found)
    if options.write and options.what in MARKS:
        text = README.read_text(encoding="utf-8")
        written = MARKS[options.what].sub(lambda marks: marks[1] + found + marks[2], text)
        README.write_text(written, encoding="utf-8")
    return 0


def _long(options) -> str:
    """The line that one of the long measurements gives."""
    from tests.bench import endurance, kills, survey
    from tests.bench.measure import build

    with tempfile.TemporaryDirectory() as work:
        dist = Path(work) / "dist"
        build(dist)
        if options.what == "kills":
            return kills.measure(dist, Path(work), options.times)
        if options.what == "survey":
            return survey.measure(dist, options.squares)
        return endurance.measure(dist, Path(work), options.count)


if __name__ == "__main__":
    sys.exit(main())
