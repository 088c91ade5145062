"""The command ``lookdown``: what the page does, without a browser."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pyapp.core.errors import LookdownError
from pyapp.core.ground.grid import STEPS
from pyapp.native.errors import DONE, PAUSED, sentence_of, status_of
from pyapp.native.fetch import RATE

if TYPE_CHECKING:
    from pyapp.core.imagery.source import Source
    from pyapp.native.setup import Native

STATUSES = """\
exit status: 0 done; 2 wrong command line; 3 wrong input; 4 the terms of the imagery forbid it;
5 no imagery; 6 no model; 7 the output can't be written; 8 a replay differs; 9 no Dask;
130 paused"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says, and return the exit status."""
    options = parser().parse_args(arguments)
    try:
        return asyncio.run(_do(options))
    except LookdownError as error:
        print(sentence_of(error), file=sys.stderr)
        return status_of(error)
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return PAUSED


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(
        prog="lookdown",
        description="Names what is on the ground, with the models and answers of the page.",
        epilog=STATUSES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    found.add_argument("--site", type=Path, metavar="DIR", help="a built site with other models")
    found.add_argument(
        "--rate", type=_rate, default=RATE, help="most requests a second to a host (%(default)g)"
    )
    commands = found.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("models", help="list the models")
    commands.add_parser("imagery", help="list the imagery, and what one may do with it")
    classify = commands.add_parser("classify", help="what is in pictures, or at a place")
    classify.add_argument("photos", nargs="*", type=Path, metavar="PHOTO")
    classify.add_argument("--at", nargs=2, type=float, metavar=("LAT", "LNG"))
    classify.add_argument("--json", action="store_true", help="a line of JSON for each answer")
    survey = commands.add_parser("survey", help="survey an area")
    survey.add_argument(
        "--out", type=Path, required=True,
        help="what to write: .geojson, .parquet (GeoParquet), .csv, .tif, .zip (PNG)",
    )  # fmt: skip
    survey.add_argument(
        "--step", type=float, choices=STEPS, default=1.0,
        help="from one square to the next, in sides of a square (%(default)g)",
    )  # fmt: skip
    survey.add_argument(
        "--workers", type=_count, metavar="N",
        help="processes of Dask; then an area may have any size, and OUT is a folder of GeoParquet",
    )  # fmt: skip
    survey.add_argument(
        "--block", type=_count, default=32, metavar="N",
        help="with --workers: squares to a side of what a worker does at once (%(default)s)",
    )  # fmt: skip
    survey.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask cluster, to use instead")
    survey.add_argument(
        "--tiles", action="store_true",
        help="with --workers: also the map of the data set, which the page opens",
    )  # fmt: skip
    pack = commands.add_parser("pack", help="an area as one file, for where there is no network")
    pack.add_argument("--out", type=Path, required=True, help="what to write: .pack or .zip")
    for each in (survey, pack):
        each.add_argument(
            "area", type=Path, help="GeoJSON, KML, Shapefile; with GDAL GeoPackage and others"
        )
        each.add_argument("--layer", help="of a file that has several")
        each.add_argument("--resume", action="store_true", help="go on with what was begun")
        each.add_argument("--overwrite", action="store_true", help="begin again")
        each.add_argument("--dry-run", action="store_true", help="say what it would take, and end")
        each.add_argument("--quiet", action="store_true", help="without a progress bar")
    replay = commands.add_parser("replay", help="make a saved survey again, and compare")
    replay.add_argument("survey", type=Path, help="GeoJSON, as saved by the page or here")
    replay.add_argument("--out", type=Path, help="CSV with what came out for each square")
    report = commands.add_parser("report", help="a saved survey as a report")
    report.add_argument("survey", type=Path, help="GeoJSON, as saved by the page or here")
    report.add_argument("--out", type=Path, required=True, help=".html to read and print, .json")
    report.add_argument("--overwrite", action="store_true", help="replace a file that is there")
    for each in (classify, survey, pack):
        each.add_argument("--model", help="name of the model")
    for each in (classify, survey, pack, replay, report):
        each.add_argument(
            "--imagery", help="a name, an address, or a file: PMTiles, MBTiles, GeoTIFF, pack"
        )
        each.add_argument("--finest-zoom", type=int, help="of an address (19)")
    return found


def _rate(text: str) -> float:
    rate = float(text)
    if not 0 < rate <= 1000:
        raise argparse.ArgumentTypeError("a rate is more than 0 and at most 1000")
    return rate


def _count(text: str) -> int:
    count = int(text)
    if not 1 <= count <= 1024:
        raise argparse.ArgumentTypeError("from 1 to 1024")
    return count


async def _do(options: argparse.Namespace) -> int:
    # Imported here, so that a wrong command line is told at once.
    from pyapp.native import setup

    async with setup.opened(options.site, options.rate) as native:
        return await COMMANDS[options.command](native, options)


async def _models(native: Native, options: argparse.Namespace) -> int:
    for each in native.models.listed:
        size = f"{each.footprint_m:g} m" if each.footprint_m else ""
        print(f"{each.name:<12} {size:>10}  {each.title}. {each.description}")
        if each.use:
            print(f"{'':<24} for {each.use}: {each.licence}")
    return DONE


async def _imagery(native: Native, options: argparse.Namespace) -> int:
    from pyapp.core.imagery.choice import permission

    for each in native.sources:
        print(f"{each.id:<16} {each.name}. {permission(each)}")
    return DONE


async def _classify(native: Native, options: argparse.Namespace) -> int:
    from pyapp.native import classify

    if bool(options.photos) == bool(options.at):
        parser().error("classify takes pictures, or a place with --at: one of both")
    await native.use(options.model)
    if options.at:
        lat, lng = options.at
        source = await _source(native, options)
        print(await classify.place(native, lat, lng, source, options.json))
        return DONE
    status = DONE
    async for line, error in classify.photos(native, options.photos, options.json):
        print(line, file=sys.stderr if error else sys.stdout)
        status = status if error is None else status_of(error)
    return status


async def _survey(native: Native, options: argparse.Namespace) -> int:
    from pyapp.native import survey
    from pyapp.native.areas import read_area

    by_workers = options.workers or options.scheduler
    if options.tiles and not by_workers:
        parser().error("--tiles is for what workers survey: add --workers")
    area = read_area(options.area, options.layer)
    source = await _source(native, options)
    order = survey.Order(area, source, options.step, options.out, options.resume, options.overwrite)
    await native.use(options.model)
    if not options.dry_run and by_workers:
        from pyapp.native import cluster, worker
        from pyapp.native.imagery import absolute

        using = cluster.Cluster(options.workers or 1, options.scheduler, options.block)
        named = absolute(options.imagery or native.sources[0].id)
        job = worker.Job(options.site, options.rate, named, options.finest_zoom, order.out)
        return await cluster.survey(native, order, using, job, options.quiet, options.tiles)
    if not options.dry_run:
        return await survey.survey(native, order, options.quiet)
    assert native.models.runner is not None, "a model is loaded"
    await native.models.runner.measure_square()
    for line in survey.dry_run(native, order):
        print(line)
    return DONE


async def _pack(native: Native, options: argparse.Namespace) -> int:
    from pyapp.native import pack
    from pyapp.native.areas import read_area

    area = read_area(options.area, options.layer)
    source = await _source(native, options)
    order = pack.PackOrder(
        options.area.stem, area, source, options.out, options.resume, options.overwrite
    )
    await native.use(options.model)
    if not options.dry_run:
        return await pack.pack(native, order, options.quiet)
    print("\n".join(await pack.dry_run(native, order)))
    return DONE


async def _replay(native: Native, options: argparse.Namespace) -> int:
    from pyapp.native import replay

    before = replay.read_survey(options.survey)
    named = await _source(native, options) if options.imagery else None
    source = replay.source_of(before, native.sources, named)
    status, lines = await replay.replay(native, before, source, options.out)
    print("\n".join(lines))
    return status


async def _report(native: Native, options: argparse.Namespace) -> int:
    from pyapp.native import replay, report
    from pyapp.native.errors import UnknownImageryError

    survey = replay.read_survey(options.survey)
    named = await _source(native, options) if options.imagery else None
    source: Source | None = None
    # Without its imagery, or if that may not be kept, a report has no pictures, and says so.
    with contextlib.suppress(UnknownImageryError):
        source = replay.imagery_of(survey, native.sources, named)
    await report.write_report(native, survey, source, options.out, options.overwrite)
    return DONE


async def _source(native: Native, options: argparse.Namespace) -> Source:
    from pyapp.native.imagery import imagery_named

    named = options.imagery or native.sources[0].id
    return await imagery_named(named, options.finest_zoom, native.sources, native.ground)


COMMANDS = {
    "models": _models,
    "imagery": _imagery,
    "classify": _classify,
    "survey": _survey,
    "pack": _pack,
    "replay": _replay,
    "report": _report,
}
