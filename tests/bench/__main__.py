"""Measures speed and size in one run and prints a table.

python -m tests.bench              starts, sizes, click to label
python -m tests.bench survey       a survey of 10,000 squares, ten minutes
python -m tests.bench endurance    memory during 10,000 classifications in one visit
python -m tests.bench kills        the browser killed 50 times during an update
python -m tests.bench few-shot     classes taught with few examples, by two embeddings
python -m tests.bench interval     what cross-validation promises against fresh pictures
python -m tests.bench coverage     how often the intervals of a checked survey hold the truth
python -m tests.bench change       what is called changed where squares were replaced, and where not
python -m tests.bench report       time and size of the report of a survey of 10,000 squares
python -m tests.bench town         a real town as the model sees it, and with classes taught there
python -m tests.bench imagery      the built-in imagery as WebP: its bytes, its look, the answers
python -m tests.bench command      a survey by the command against a bare loop of onnxruntime
python -m tests.bench cluster      a survey by workers of Dask, the scheduler, what a square costs
python -m tests.bench many         memory of such a survey, of --squares 1000000
python -m tests.bench breaks       such a survey killed 30 times: is the data set the same?
python -m tests.bench --write      writes down the table in docs/benchmarks.md, figures in README

Like ``python -m tests``, it first creates the virtual environment and finds a browser.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.__main__ import PYTHON, ROOT, inside, name_chromium, prepare

# Where docs/benchmarks.md has the results.
PARTS = {"table": "bench", "survey": "bench survey"}


def main() -> int:
    """Set up, continue inside the virtual environment, measure and print."""
    if not inside():
        prepare()
        return subprocess.call([str(PYTHON), "-m", "tests.bench", *sys.argv[1:]], cwd=ROOT)
    name_chromium()
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "what",
        nargs="?",
        choices=(
            "table",
            "kills",
            "endurance",
            "survey",
            "few-shot",
            "interval",
            "town",
            "imagery",
            "coverage",
            "change",
            "report",
            "command",
            "cluster",
            "many",
            "breaks",
        ),
        default="table",
    )
    parser.add_argument("--rounds", type=int, default=5, help="starts of each kind")
    parser.add_argument("--clicks", type=int, default=40, help="answers of each kind")
    parser.add_argument("--times", type=int, default=50, help="kills")
    parser.add_argument("--count", type=int, default=10_000, help="classifications of endurance")
    parser.add_argument("--squares", type=int, default=10_000, help="squares of the survey")
    parser.add_argument(
        "--embedding", type=Path, default=ROOT / "models" / "ucmerced" / "model.onnx",
        help="the model by whose network classes are taught",
    )  # fmt: skip
    parser.add_argument(
        "--data", type=Path, default=ROOT.parent / "shared" / "data", help="folder of sources"
    )
    parser.add_argument("--source", default="aid", help="the source whose classes are taught")
    parser.add_argument("--model", default="world", help="the model that sees the town")
    parser.add_argument("--draws", type=int, help="of examples, or surveys of coverage")
    parser.add_argument("--most", type=int, default=120, help="pictures of each class to look at")
    parser.add_argument("--write", action="store_true", help="write the table down")
    options = parser.parse_args()
    from tests.bench.document import write
    from tests.bench.measure import measure

    if options.what == "coverage":
        from tests.bench.coverage import table as coverage_table

        print(coverage_table(options.draws or 1000))
        return 0
    if options.what == "change":
        from tests.bench.change import table as change_table

        print(change_table(options.model, options.draws or 10, options.data))
        return 0
    if options.what == "imagery":
        from tests.bench.imagery import looks_and_answers

        print(looks_and_answers())
        return 0
    if options.what == "command":
        from tests.bench.command import measure as measure_command

        print(measure_command(options.rounds))
        return 0
    if options.what == "cluster":
        from tests.bench.cluster import measure as measure_cluster

        print(measure_cluster(options.rounds))
        return 0
    if options.what in ("many", "breaks"):
        from tests.bench import country

        many = options.what == "many"
        print(country.many(options.squares) if many else country.breaks(options.times))
        return 0
    if options.what in ("few-shot", "interval", "town"):
        print(_teaching(options))
        return 0
    table = options.what == "table"
    found = measure(options.rounds, options.clicks) if table else _long(options)
    print(found)
    if options.write and options.what in PARTS:
        write(PARTS[options.what], found)
    return 0


def _teaching(options: argparse.Namespace) -> str:
    """What a measurement of teaching found."""
    from tests.bench.teaching import few_shot, intervals

    if options.what == "town":
        from tests.bench.town import town

        return town(ROOT / "models" / options.model, options.draws or 20)
    given = options.embedding, options.data, options.source
    if options.what == "few-shot":
        return few_shot(*given, options.draws or 10, options.most)
    return intervals(*given, options.draws or 20, options.most)


def _long(options: argparse.Namespace) -> str:
    """What one of the long measurements found."""
    from tests.bench import endurance, kills, report, survey
    from tests.bench.measure import build

    with tempfile.TemporaryDirectory() as work:
        dist = Path(work) / "dist"
        build(dist)
        if options.what == "kills":
            return kills.measure(dist, Path(work), options.times)
        if options.what == "report":
            return report.measure(dist, options.squares, options.rounds)
        if options.what == "survey":
            return survey.measure(dist, options.squares)
        return endurance.measure(dist, Path(work), options.count)


if __name__ == "__main__":
    sys.exit(main())
