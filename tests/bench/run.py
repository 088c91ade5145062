"""Measures speed and size in one run and prints a table.

python -m tests.bench              starts, sizes, click to label
python -m tests.bench --compare REV  starts, answers, a survey, in turns with another revision
python -m tests.bench survey       a survey of 10,000 squares, ten minutes
python -m tests.bench phone        a slow main thread, 360 px, touch
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
python -m tests.bench runtimes     the default model in LiteRT.js and TensorFlow.js as well
python -m tests.bench strips       one pass of the network over several squares, or one for each
python -m tests.bench cluster      a survey by workers of Dask, the scheduler, what a square costs
python -m tests.bench many         memory of such a survey, of --squares 1000000
python -m tests.bench breaks       such a survey killed 30 times: is the data set the same?
python -m tests.bench --write      writes down the table in docs/benchmarks.md, figures in README

Like ``python -m tests``, it first creates the virtual environment and finds a browser. What depends
on the machine's speed is not measured while another process keeps a core busy, unless with
``--anyway``; the load by others stands under its table.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.__main__ import ROOT
from tests.bench.document import write
from tests.bench.errors import BusyError, RevisionError
from tests.bench.load import Watch, refuse_if_busy
from training.site_tools import fetch

# Where docs/benchmarks.md has the results.
PARTS = {"table": "bench", "survey": "bench survey", "phone": "bench phone",
         "endurance": "bench endurance", "runtimes": "bench runtimes"}  # fmt: skip
# What depends on the speed of the machine, and so on what else runs there.
TIMED = {"table", "survey", "phone", "report", "command", "cluster", "runtimes", "strips"}
OTHERS = ("kills", "endurance", "few-shot", "interval", "town", "coverage", "change", "imagery",
          "many", "breaks")  # fmt: skip
ROUNDS, COMPARED_ROUNDS = 5, 10


def main() -> int:
    """Measure what the command line says, print it, and write it down if that is wanted."""
    options = _options()
    timed = options.what in TIMED
    try:
        if timed and not options.anyway:
            refuse_if_busy()
        if not timed:
            found, is_spoilt = measured(options), False
        else:
            with Watch() as load:
                found = measured(options)
            found, is_spoilt = f"{found.rstrip()}\n\n{load.line()}", load.is_spoilt
    except (BusyError, RevisionError, fetch.SetupError) as error:
        print(error, file=sys.stderr)
        return 1
    print(found)
    if options.write and is_spoilt:
        print("Nothing was written: other processes kept a core busy.", file=sys.stderr)
        return 1
    if options.write:
        write(PARTS[options.what], found)
    return 0


def _options() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", nargs="?", choices=(*TIMED, *OTHERS), default="table")
    parser.add_argument("--compare", metavar="REV", help="a revision to take turns with")
    parser.add_argument("--rounds", type=int, help="starts of each kind, or of turns")
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
    parser.add_argument(
        "--anyway", action="store_true", help="measure even if another process keeps a core busy"
    )
    options = parser.parse_args()
    options.rounds = options.rounds or (ROUNDS if options.compare is None else COMPARED_ROUNDS)
    if options.compare is not None and options.what != "table":
        parser.error(f"--compare has a table of its own: leave out {options.what}.")
    if options.write and (options.compare is not None or options.what not in PARTS):
        parser.error(f"only these are written down: {', '.join(PARTS)}. Leave out --write.")
    if options.write and options.anyway:
        parser.error(
            "what is measured beside other work is not written down: leave out --anyway or --write."
        )
    return options


def measured(options: argparse.Namespace) -> str:
    """What a measurement found."""
    if options.compare is not None:
        from tests.bench.compare import compare

        return compare(options.compare, options.rounds, options.clicks)
    if options.what == "table":
        from tests.bench.measure import measure

        return measure(options.rounds, options.clicks)
    if options.what == "coverage":
        from tests.bench.coverage import table as coverage_table

        return coverage_table(options.draws or 1000)
    if options.what == "change":
        from tests.bench.change import table as change_table

        return change_table(options.model, options.draws or 10, options.data)
    if options.what == "strips":
        from tests.bench.strips import likeness

        return likeness()
    if options.what == "imagery":
        from tests.bench.imagery import looks_and_answers

        return looks_and_answers()
    if options.what in ("many", "breaks"):
        from tests.bench import country

        many = options.what == "many"
        return country.many(options.squares) if many else country.breaks(options.times)
    if options.what == "command":
        from tests.bench.command import measure as measure_command

        return measure_command(options.rounds)
    if options.what == "runtimes":
        from tests.bench.runtimes import measure as measure_runtimes

        return measure_runtimes(options.rounds)
    if options.what == "cluster":
        from tests.bench.cluster import measure as measure_cluster

        return measure_cluster(options.rounds)
    if options.what in ("few-shot", "interval", "town"):
        return _teaching(options)
    return _long(options)


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
    """What one of the measurements of the built page found."""
    from tests.bench import endurance, kills, phone, report, survey
    from tests.bench.measure import build

    # Chromium may still write into its profile while it ends: no reason to lose a measurement.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        work = Path(folder)
        dist = work / "dist"
        build(dist)
        if options.what == "kills":
            return kills.measure(dist, work, options.times)
        if options.what == "phone":
            return phone.measure(dist, work, options.rounds, options.clicks)
        if options.what == "report":
            return report.measure(dist, options.squares, options.rounds)
        if options.what == "survey":
            return survey.measure(dist, options.squares)
        return endurance.measure(dist, work, options.count)
