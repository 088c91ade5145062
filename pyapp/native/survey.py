"""``lookdown survey``: an area surveyed, and gone on with after whatever ended it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pyapp.core.errors import ForbiddenSurveyError, StoreError
from pyapp.core.ground.area import Area
from pyapp.core.ground.geo import LngLat
from pyapp.core.ground.grid import Grid, plan
from pyapp.core.ground.reading import reading
from pyapp.core.imagery.choice import permission, readable
from pyapp.core.imagery.source import Source
from pyapp.core.state import CellState
from pyapp.core.survey.survey import Survey
from pyapp.native.begun import may_begin, part_of, records_of, remove, watch
from pyapp.native.disk import check_format, write_survey
from pyapp.native.errors import (
    DONE,
    NO_IMAGERY,
    NO_OUTPUT,
    PAUSED,
    NotWrittenError,
    OtherOrderError,
    sentence_of,
    status_of,
)
from pyapp.native.setup import Native
from pyapp.native.wording import survey_lines
from pyapp.work.session import SurveySession
from pyapp.work.store import Store


@dataclass(frozen=True)
class Order:
    """What to survey, and where to write it.

    Attributes
    ----------
    area : Area
    source : Source
    step : float
        See `plan`.
    out : Path
        Its ending names the format.
    resume, overwrite : bool
        What to do about an earlier run.
    """

    area: Area
    source: Source
    step: float
    out: Path
    resume: bool = False
    overwrite: bool = False

    @property
    def part(self) -> Path:
        """What came out so far, until all is there."""
        return part_of(self.out)


def dry_run(native: Native, order: Order) -> Iterator[str]:
    """What a survey would take, in lines; nothing is fetched but the model.

    Raises
    ------
    AreaError
    """
    grid = _grid(native, order)
    runner = native.models.runner
    assert runner is not None, "a model is loaded"
    needed = reading(grid, runner.card.resolution_m, order.source)
    hectares = float(grid.hectares.sum())
    yield f"{len(grid):,} squares of {grid.side_m:g} m, {hectares:,.1f} hectares"
    yield f"{needed.tile_count:,} tiles of {order.source.name}"
    if runner.square_ms is not None:
        minutes = len(grid) * runner.square_ms / 60_000
        yield f"about {max(minutes, 0.1):,.1f} minutes on one processor, and the time to read tiles"
    yield permission(order.source)


async def survey(native: Native, order: Order, quiet: bool = False) -> int:
    """Do a survey, or what is left of it.

    Returns
    -------
    int
        The exit status.

    Raises
    ------
    LookdownError
        If it can't begin or its file can't be written.
    """
    check_format(order.out)
    grid = _grid(native, order)
    if not order.source.allows.bulk:
        raise ForbiddenSurveyError(order.source.name, _others(native, order.area))
    if not may_begin(order.out, order.resume, order.overwrite):
        return DONE
    with records_of(order.part) as records:
        store = Store(records)
        session = SurveySession(
            native.models, native.ground, store, native.clock, native.tasks, native.busy
        )
        found = await _begun(store, order, native)
        if found is None:
            found = session.begin(order.area, grid, order.source)
        else:
            found.look_again()
        session.work_on(found, order.source)
        total = len(found.grid)
        await watch(
            native, lambda: _done(found), lambda: session.goes_on, session.pause, total,
            "squares", quiet,
        )  # fmt: skip
    return _end(native, found, order)


def _grid(native: Native, order: Order) -> Grid:
    assert native.models.card is not None, "a model is loaded"
    return plan(order.area, native.models.card.footprint_m, order.step)


def _others(native: Native, area: Area) -> list[str]:
    west, south, east, north = area.bounds
    return readable(native.sources, LngLat((west + east) / 2, (south + north) / 2), bulk=True)


async def _begun(store: Store, order: Order, native: Native) -> Survey | None:
    """What an earlier run began; ``None`` if there is nothing."""
    listed = await store.list()
    if not listed:
        return None
    found = await store.load(listed[0].id)
    card = native.models.card
    assert card is not None, "a model is loaded"
    asked = {
        "area": (found.area, order.area),
        "step": (found.grid.step, order.step),
        "model": (found.model.sha256, card.sha256),
        "imagery": (found.imagery.url, order.source.url),
    }
    for what, (before, now) in asked.items():
        if before != now:
            raise OtherOrderError(order.part, what)
    return found


def _done(found: Survey) -> int:
    return len(found.grid) - found.count(CellState.WAITING)


def _end(native: Native, found: Survey, order: Order) -> int:
    """Write what came out and say it."""
    status = DONE
    for error in native.told:
        if isinstance(error, StoreError):
            error = NotWrittenError(order.part, "what came out can't be kept")
        print(sentence_of(error), file=sys.stderr)
        status = status_of(error)
    waiting = found.count(CellState.WAITING)
    if waiting:
        print(f"{waiting:,} squares wait: go on with --resume.", file=sys.stderr)
        return status or PAUSED
    write_survey(found, order.out)
    for line in survey_lines(found):
        print(line)
    failed = found.count(CellState.FAILED)
    if failed:
        print(
            f"The imagery of {failed:,} squares failed: look at them again with --resume.",
            file=sys.stderr,
        )
        return status or (NO_IMAGERY if not found.count(CellState.CLASSIFIED) else DONE)
    if status != NO_OUTPUT:
        remove(order.part)
    print(f"Written to {order.out}.")
    return status
