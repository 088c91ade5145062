"""``lookdown pack``: imagery of an area and the model as one file, to take where no network is."""

from __future__ import annotations

import sys
import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pyapp.core.ground.area import Area, check
from pyapp.core.imagery.choice import permission
from pyapp.core.imagery.source import Source
from pyapp.core.pack.area import KeptArea, told_apart
from pyapp.core.pack.errors import (
    KeepingStoppedError,
    KeptStoreError,
    NothingToKeepError,
)
from pyapp.core.pack.tiles import estimate_bytes, tiles_of, usual_zooms, widened
from pyapp.native.begun import may_begin, part_of, records_of, remove, watch
from pyapp.native.disk import write_whole
from pyapp.native.errors import (
    DONE,
    NO_IMAGERY,
    PAUSED,
    NotWrittenError,
    OtherOrderError,
    PackStoppedError,
    UnknownFormatError,
    sentence_of,
    status_of,
)
from pyapp.native.setup import Native
from pyapp.work.keeper import Keeper
from pyapp.work.kept import HeldArea, KeptAreas
from pyapp.work.packs import model_of, written

ENDINGS = [".pack", ".zip"]
# Records of what is only asked, and not kept.
NOWHERE = Path(":memory:")


@dataclass(frozen=True)
class PackOrder:
    """What to pack, and where to.

    Attributes
    ----------
    name : str
        As the page calls the area.
    area : Area
    source : Source
    out : Path
    resume, overwrite : bool
        What to do about an earlier run.
    """

    name: str
    area: Area
    source: Source
    out: Path
    resume: bool = False
    overwrite: bool = False


async def dry_run(native: Native, order: PackOrder) -> list[str]:
    """What a pack would take, in lines; four tiles are read, by which its size is estimated.

    Raises
    ------
    AreaError, KeepError
    """
    with records_of(NOWHERE) as records:
        keeper = _keeper(native, KeptAreas(records))
        keeper.check(order.source)
        asked = _asked(native, order)
        samples = await keeper.sample(order.source, asked.tiles())
    size = estimate_bytes(samples.values(), asked.total)
    zooms = asked.zooms
    return [
        f"{asked.total:,} tiles of {order.source.name}, zooms {zooms.coarsest} to {zooms.finest}",
        f"about {size / 1e6:,.1f} MB, by {len(samples)} of them, and the model",
        permission(order.source),
    ]


async def pack(native: Native, order: PackOrder, quiet: bool = False) -> int:
    """Make a pack, or what is left of it.

    Returns
    -------
    int
        The exit status.

    Raises
    ------
    LookdownError
        If it can't begin or its file can't be written.
    """
    if order.out.suffix.lower() not in ENDINGS:
        raise UnknownFormatError(order.out, ENDINGS, "pack")
    asked = _asked(native, order)
    part = part_of(order.out)
    with records_of(NOWHERE) as records:
        _keeper(native, KeptAreas(records)).check(order.source)
    if not may_begin(order.out, order.resume, order.overwrite):
        return DONE
    with records_of(part) as records:
        areas = KeptAreas(records)
        try:
            await areas.begin(native.sources)
            held = next(iter(areas.held.values()), None) or await areas.add(asked)
        except KeptStoreError as error:
            raise NotWrittenError(part, error.reason) from error
        _compare(held.area, asked, part)
        keeper = _keeper(native, areas)
        keeper.work_on(held)
        await watch(
            native, lambda: held.done, lambda: keeper.held is not None, keeper.pause,
            asked.total, "tiles", quiet,
        )  # fmt: skip
        status = _told(native, held, part)
        failed = keeper.failed[held.area.id]
        waiting = len(held.todo()) - len(failed)
        if status != DONE:
            return status
        if waiting > 0:
            print(f"{waiting:,} tiles wait: go on with --resume.", file=sys.stderr)
            return PAUSED
        if held.stored:
            await _write(native, areas, held, order.out)
    if not held.stored and not failed:
        remove(part)
        raise NothingToKeepError(order.source.name, "there is no imagery at these zooms")
    if failed:
        print(f"{len(failed):,} tiles failed: ask for them again with --resume.", file=sys.stderr)
        return NO_IMAGERY if not held.stored else DONE
    remove(part)
    return DONE


def _asked(native: Native, order: PackOrder) -> KeptArea:
    """The area as the page would keep it for the model in use."""
    card = native.models.card
    assert card is not None, "a model is loaded"
    check(order.area)
    # With room for a square around each of its places.
    bounds = widened(order.area.bounds, card.footprint_m / 2)
    zooms = usual_zooms(bounds, order.source, card.resolution_m)
    total = len(tiles_of(bounds, zooms, order.source))
    made = datetime.now().isoformat(timespec="seconds")
    return KeptArea(
        uuid.uuid4().hex, order.name, made, told_apart(order.source), bounds, zooms, total
    )


def _keeper(native: Native, areas: KeptAreas) -> Keeper:
    return Keeper(areas, native.ground, native.clock, native.tasks)


def _compare(begun: KeptArea, asked: KeptArea, part: Path) -> None:
    """Check that what was begun is what is asked for."""
    compared = {
        "imagery": (begun.source.url, asked.source.url),
        "area": (begun.bounds, asked.bounds),
        "model": (begun.zooms, asked.zooms),
    }
    for what, (before, now) in compared.items():
        if before != now:
            raise OtherOrderError(part, what)


def _told(native: Native, held: HeldArea, part: Path) -> int:
    """Say why imagery stopped arriving, if it did; the exit status."""
    status = DONE
    for error in native.told:
        if isinstance(error, KeepingStoppedError):
            error = PackStoppedError(error.reason, held.done, held.area.total)
        elif isinstance(error, KeptStoreError):
            error = NotWrittenError(part, error.reason)
        print(sentence_of(error), file=sys.stderr)
        status = status_of(error)
    return status


async def _write(native: Native, areas: KeptAreas, held: HeldArea, out: Path) -> None:
    """Write the pack with what is stored, and say what is in it."""
    card = native.models.card
    assert card is not None, "a model is loaded"
    given, whose = await model_of(native.files, card)
    made = datetime.now().isoformat(timespec="seconds")
    pieces = await written(areas, held, given, [whose], made, lambda _done, _total: None)
    write_whole(out, *pieces)
    size = sum(map(len, pieces))
    missing = f"; of {len(held.missing):,} there is no imagery" if held.missing else ""
    print(f"{len(held.stored):,} tiles and the model {card.title}, {size / 1e6:,.1f} MB{missing}.")
    print(f"Written to {out}. Drop it on the page to open it.")
