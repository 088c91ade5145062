"""``lookdown survey --tiles``: the map of a data set, which the page opens however large it is."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from pyapp.core.ground.geo import Bounds
from pyapp.core.ground.grid import Lattice
from pyapp.core.imagery.archive_facts import WORLD
from pyapp.core.imagery.pmtiles import Kind
from pyapp.core.imagery.pmtiles_writer import PmtilesWriter
from pyapp.core.pyramid.facts import FILE, MEMBER, PyramidFacts
from pyapp.core.pyramid.tiles import (
    FIRST_NODE,
    NOT_SURE,
    finest_zoom,
    palette,
    pictures,
    tiles_over,
)
from pyapp.core.state import CellState
from pyapp.core.survey.facts import ImageryFacts, ModelFacts
from pyapp.core.survey.paint import UNSURE
from pyapp.native.errors import DamagedDataError, NoArrowError, NotWrittenError

if TYPE_CHECKING:
    from numpy.typing import NDArray

COLUMNS = ["cell", "state", "class_id", "score", "hectares"]


@dataclass
class Counted:
    """Cells and hectares of each code, while the files are read."""

    cells: NDArray[np.int64]
    hectares: NDArray[np.float64]


def write_pyramid(
    out: Path,
    lattice: Lattice,
    steps: tuple[float, float, int],
    model: ModelFacts,
    imagery: ImageryFacts,
    quiet: bool = False,
) -> Path:
    """Write the map of a data set into its folder.

    Parameters
    ----------
    out : Path
        The folder.
    lattice : Lattice
        Of all its cells.
    steps : tuple (float, float, int)
        Side of a footprint in metres, step, and cells to a side of a block; see `PyramidFacts`.
    model : ModelFacts
    imagery : ImageryFacts
    quiet : bool
        Without a progress bar.

    Returns
    -------
    Path
        Of the file.

    Raises
    ------
    NoArrowError, DamagedDataError, NotWrittenError
    """
    side_m, step, block = steps
    colours = palette(model.tree)
    try:
        with _codes(out, lattice) as codes:
            counted = _read(out, codes, model, len(colours), quiet)
            facts = PyramidFacts(
                name=out.name,
                made=datetime.now().isoformat(timespec="seconds"),
                lattice=lattice,
                side_m=side_m,
                step=step,
                block=block,
                model=model,
                imagery=imagery,
                answers=_answers(counted),
                without={
                    state: int(counted.cells[state])
                    for state in CellState
                    if state not in (CellState.WAITING, CellState.CLASSIFIED)
                    and counted.cells[state]
                },
            )
            _write(out / FILE, codes, facts, colours, quiet)
    except OSError as error:
        raise NotWrittenError(out / FILE, error.strerror or str(error)) from error
    return out / FILE


@contextlib.contextmanager
def _codes(out: Path, lattice: Lattice) -> Iterator[NDArray[np.uint16]]:
    """A code for each cell, in a file that ends with the context, as a country fills the memory."""
    with tempfile.TemporaryFile(dir=out) as file:
        yield np.memmap(file, np.uint16, "w+", shape=(lattice.rows, lattice.columns))


def _read(
    out: Path, codes: NDArray[np.uint16], model: ModelFacts, count: int, quiet: bool
) -> Counted:
    """Fill in the codes of all cells, and count them."""
    try:
        from pyarrow import ArrowException, parquet
    except ImportError as error:
        raise NoArrowError from error
    counted = Counted(np.zeros(count, np.int64), np.zeros(count))
    files = sorted(out.glob("part-*.parquet"))
    for file in tqdm(files, "Reading", unit=" files", disable=quiet or None, file=sys.stderr):
        try:
            table = parquet.read_table(file, columns=COLUMNS)
        except (OSError, ArrowException, KeyError) as error:
            raise DamagedDataError(file) from error
        found = _codes_of(table, model)
        rows, columns = np.divmod(table["cell"].to_numpy(), codes.shape[1])
        if len(rows) and not (rows.min() >= 0 and rows.max() < codes.shape[0]):
            raise DamagedDataError(file)
        codes[rows, columns] = found
        counted.cells += np.bincount(found, minlength=count)
        counted.hectares += np.bincount(found, table["hectares"].to_numpy(), count)
    return counted


def _codes_of(table: Any, model: ModelFacts) -> NDArray[np.uint16]:
    """What `pictures` takes, of each row."""
    labels = {each.label: int(each) for each in CellState}
    states = table["state"].combine_chunks().dictionary_encode()
    known = np.array([labels[each.as_py()] for each in states.dictionary], np.int64)
    codes = known[states.indices.to_numpy()]
    node = table["class_id"].to_numpy()
    score = table["score"].to_numpy()
    has_node = codes == CellState.CLASSIFIED
    # Without a tree, the best class is written even if it isn't sure.
    sure = has_node & ~np.isnan(node)
    if model.tree.is_flat:
        sure &= score >= model.threshold
    codes[has_node] = NOT_SURE
    codes[sure] = node[sure].astype(np.int64) + FIRST_NODE
    return np.asarray(codes, np.uint16)


def _answers(counted: Counted) -> dict[int, tuple[int, float]]:
    there = np.flatnonzero(counted.cells)
    return {
        (UNSURE if code == NOT_SURE else code - FIRST_NODE): (
            int(counted.cells[code]),
            round(float(counted.hectares[code]), 4),
        )
        for code in there.tolist()
        if code >= NOT_SURE
    }


def _write(
    path: Path,
    codes: NDArray[np.uint16],
    facts: PyramidFacts,
    colours: NDArray[np.uint8],
    quiet: bool,
) -> None:
    """Write the file; who looks at it never sees a part of it."""
    writer = PmtilesWriter(Kind.PNG)
    lattice = facts.lattice
    count = sum(len(tiles_over(lattice, zoom)) for zoom in range(finest_zoom(lattice) + 1))
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    metadata = {
        "name": facts.name,
        "description": f"What {facts.model.title} says of each square of {facts.side_m:g} m",
        "attribution": facts.imagery.credit,
        "type": "overlay",
        MEMBER: facts.to_stored(),
    }
    try:
        with tempfile.TemporaryFile(dir=path.parent) as tiles:
            bar = tqdm(
                total=count, desc="Drawing", unit=" tiles", disable=quiet or None, file=sys.stderr
            )
            with bar:
                for tile, data in pictures(codes, lattice, colours):
                    tiles.write(writer.add(tile, data))
                    bar.update()
            with beside.open("wb") as file:
                file.write(writer.head(_bounds(lattice), metadata))
                tiles.seek(0)
                while chunk := tiles.read(1 << 20):
                    file.write(chunk)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _bounds(lattice: Lattice) -> Bounds:
    """Of all cells; the whole width of the world, if they lie over the date line."""
    west, south, east, north = lattice.bounds_of(0, 0, lattice.rows, lattice.columns)
    if west < -180 or east > 180:
        west, east = WORLD.west, WORLD.east
    return Bounds(west, south, east, north)
