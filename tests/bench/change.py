"""What is called changed where nothing changed, and where squares were really replaced.

Two pictures of the same ground are made of 189 labelled test pictures, laid side by side in the
squares of a survey. The later one differs in light, season (a shift from green to brown, or back),
blur of the sensor and a shift by one pixel of the chip; then, in 5 % of its squares, by another
picture: of any other class, in a second run of one in another top group. A town is
changed in the same way, without any picture replaced. Both dates are surveyed and compared as the
page does it.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageFilter

from pyapp.core.change.change import Outcome
from pyapp.core.ground.area import Area, rectangle
from pyapp.core.ground.geo import (
    TILE_PX,
    LngLat,
    Pixel,
    Tile,
    box_of,
    pixel_at,
    place_at,
    tile_at,
)
from pyapp.core.ground.grid import Grid, plan
from pyapp.core.imagery import mosaic
from pyapp.core.imagery.source import Source
from pyapp.core.model.tree import Tree
from pyapp.core.survey.facts import ImageryFacts, ModelFacts
from pyapp.core.survey.survey import Survey
from pyapp.native.setup import Native, opened
from pyapp.work.change import Comparer
from pyapp.work.surveyor import Surveyor
from tests.bench.teaching import table as as_table
from training.pictures.dataset import DESCRIBED
from training.pictures.sources import describe

ZOOM = 19
# Squares of the sheet, and how many of them are replaced: 5 %.
COLUMNS, ROWS, REPLACED = 21, 9, 9
GREY_RGB = (120, 120, 110)
# Of the pictures, as decoded tiles are remembered by their address.
NUMBERS = itertools.count()
# Of the sensor, in steps of 255.
NOISE = 1.5
TOWN, FAR_TILES = LngLat(85.5217, 27.6334), 100


class Ground(NamedTuple):
    """A picture of some ground, and the squares to be surveyed there.

    Attributes
    ----------
    pixels : ndarray of uint8, shape (h, w, 3)
    left, top : int
        Its corner, in world pixels at `ZOOM`.
    area : Area
    grid : Grid
    shows : list of str
        The class of each cell; empty if that is not known.
    """

    pixels: np.ndarray
    left: int
    top: int
    area: Area
    grid: Grid
    shows: list[str]


class Count(NamedTuple):
    """What came out over all pairs."""

    squares: int = 0
    replaced: int = 0
    called: int = 0
    found: int = 0
    looked_at: int = 0
    cant_tell: int = 0

    def plus(self, other: Count) -> Count:
        """Both together."""
        return Count(*(one + more for one, more in zip(self, other, strict=True)))


def table(model: str, pairs: int, data: Path) -> str:
    """The measurement as a table in Markdown."""
    return asyncio.run(_table(model, pairs, data))


async def _table(model: str, pairs: int, data: Path) -> str:
    async with opened() as native:
        await native.use(model)
        assert native.models.card is not None
        side_m, tree = native.models.card.footprint_m, native.models.card.tree
        pictures = _labelled(data / "tiles" / "labelled")
        rows = []
        for name, kind in (
            ("test pictures, nothing replaced", None),
            ("test pictures, 5 % replaced by another class", "class"),
            ("test pictures, 5 % replaced by another top group", "group"),
            ("the town, nothing replaced", "town"),
        ):
            total = Count()
            for seed in range(pairs):
                chance = np.random.default_rng([16, seed])
                if kind == "town":
                    before = _town(data / "tiles" / "town", side_m)
                    after, gone = before.pixels.copy(), []
                else:
                    before = _sheet(pictures, side_m, chance)
                    after, gone = before.pixels.copy(), []
                    if kind is not None:
                        gone = _replace(before, after, pictures, tree, kind == "group", chance)
                later = before._replace(pixels=_another_day(after, side_m, chance))
                total = total.plus(await _compare(native, before, later, gone))
            rows.append([name, *_figures(total)])
    head = ["pairs", "squares", "called changed", "replaced ones found", "of those called, right",
            "looked at five times", "can't tell"]  # fmt: skip
    return f"{model}, {pairs} pairs of each kind\n\n" + as_table(head, rows)


def _figures(count: Count) -> list[str]:
    wrong = count.called - count.found
    found = f"{count.found} of {count.replaced}" if count.replaced else ""
    right = f"{count.found} of {count.called}" if count.replaced else ""
    return [
        f"{count.squares:,}",
        f"{count.called} ({wrong} wrongly, {wrong / count.squares:.2%})",
        found, right, f"{count.looked_at / count.squares:.1%}",
        f"{count.cant_tell / count.squares:.1%}",
    ]  # fmt: skip


def _labelled(folder: Path) -> list[tuple[str, np.ndarray]]:
    """The labelled test pictures, 256 px each."""
    meant = describe("ucmerced", DESCRIBED / "sources").trees["world"].allows
    return [
        (meant[each["label"]][0], mosaic.decode(next(
            folder.glob(f"{each['z']}/{each['x']}/{each['y']}.*")).read_bytes()))
        for each in json.loads((folder / "labels.json").read_text())
    ]  # fmt: skip


def _cell_box(grid: Grid, number: int, left: int, top: int) -> tuple[int, int, int, int]:
    """Where a cell is in a picture: left, top, right and bottom, in whole pixels."""
    box = box_of(grid.footprint(number), ZOOM)
    return (round(box.left) - left, round(box.top) - top,
            round(box.right) - left, round(box.bottom) - top)  # fmt: skip


def _sheet(
    pictures: list[tuple[str, np.ndarray]], side_m: float, chance: np.random.Generator
) -> Ground:
    """The pictures in the squares of a grid at the equator, in another order each time."""
    start = pixel_at(LngLat(0.0, 0.0), ZOOM)
    pitch = side_m / (40075016.685578488 / (TILE_PX << ZOOM))
    corner = place_at(Pixel(start.x + COLUMNS * pitch, start.y + ROWS * pitch), ZOOM)
    area = rectangle(LngLat(0.0, 0.0), corner)
    grid = plan(area, side_m, 1.0)
    assert len(grid) == COLUMNS * ROWS == len(pictures)
    margin = TILE_PX
    left, top = int(start.x) - margin, int(start.y) - margin
    height, width = int(ROWS * pitch) + 2 * margin, int(COLUMNS * pitch) + 2 * margin
    pixels = np.full((height, width, 3), GREY_RGB, np.uint8)
    shows = []
    for number, which in enumerate(chance.permutation(len(pictures)).tolist()):
        label, picture = pictures[which]
        _paste(pixels, picture, _cell_box(grid, number, left, top))
        shows.append(label)
    return Ground(pixels, left, top, area, grid, shows)


def _paste(pixels: np.ndarray, picture: np.ndarray, box: tuple[int, int, int, int]) -> None:
    size = box[2] - box[0], box[3] - box[1]
    resized = Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC)
    pixels[box[1] : box[3], box[0] : box[2]] = np.asarray(resized)


def _replace(
    ground: Ground,
    pixels: np.ndarray,
    pictures: list[tuple[str, np.ndarray]],
    tree: Tree,
    other_group: bool,
    chance: np.random.Generator,
) -> list[int]:
    """Lay other pictures into some squares; which."""
    tops = {each.name: tree.top_of(each.id) for each in tree.nodes}

    def differs(one: str, other: str) -> bool:
        if other_group:
            return tops[one] != tops[other]
        return one != other

    gone = chance.choice(len(ground.grid), REPLACED, replace=False).tolist()
    for number in gone:
        others = [each for label, each in pictures if differs(label, ground.shows[number])]
        picture = others[int(chance.integers(len(others)))]
        _paste(pixels, picture, _cell_box(ground.grid, number, ground.left, ground.top))
    return gone


def _town(folder: Path, side_m: float) -> Ground:
    """A town at `ZOOM`."""
    centre = tile_at(TOWN, ZOOM)
    tiles = {(int(file.parent.name), int(file.stem)): file for file in folder.glob(f"{ZOOM}/*/*.*")}
    # The folder has imagery of another place as well.
    tiles = {at: file for at, file in tiles.items() if abs(at[0] - centre.x) < FAR_TILES}
    columns, rows = [x for x, _ in tiles], [y for _, y in tiles]
    west, north = min(columns), min(rows)
    shape = (max(rows) - north + 1) * TILE_PX, (max(columns) - west + 1) * TILE_PX, 3
    pixels = np.full(shape, GREY_RGB, np.uint8)
    for (column, row), file in tiles.items():
        y, x = (row - north) * TILE_PX, (column - west) * TILE_PX
        pixels[y : y + TILE_PX, x : x + TILE_PX] = mosaic.decode(file.read_bytes())
    left, top = west * TILE_PX, north * TILE_PX
    # So much is seen around a square at the largest of five sizes.
    edge = side_m / 0.25 / 2
    area = rectangle(
        place_at(Pixel(left + edge, top + edge), ZOOM),
        place_at(Pixel(left + shape[1] - edge, top + shape[0] - edge), ZOOM),
    )
    return Ground(pixels, left, top, area, plan(area, side_m, 1.0), [])


def _another_day(pixels: np.ndarray, side_m: float, chance: np.random.Generator) -> np.ndarray:
    """The same ground in another light and season, by another sensor, a pixel of the chip off."""
    blurred = Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(chance.uniform(0.3, 0.8)))
    rgb = np.asarray(blurred).astype(np.float32) / 255
    dry = chance.uniform(-1, 1)
    season = np.array([1 + 0.12 * dry, 1 - 0.06 * dry, 1 - 0.08 * dry])
    rgb = np.clip(rgb * season, 0, 1) ** chance.uniform(0.85, 1.18)
    rgb = (rgb - 0.5) * chance.uniform(0.85, 1.15) + 0.5 + chance.uniform(-0.06, 0.06)
    chip_pixel = side_m / 192 / 0.2986
    across, down = (round(chip_pixel) * int(chance.choice([-1, 1])) for _ in range(2))
    shifted = np.roll(rgb, (down, across), (0, 1))
    shifted += chance.normal(0, NOISE / 255, shifted.shape).astype(np.float32)
    return (np.clip(shifted, 0, 1) * 255).round().astype(np.uint8)


async def _compare(native: Native, before: Ground, after: Ground, gone: list[int]) -> Count:
    """Survey both dates and compare them, as the page does."""
    card, runner = native.models.card, native.models.runner
    assert card is not None and runner is not None
    surveys, sources = [], []
    for name, ground in (("before", before), ("after", after)):
        source = Source(
            name, name, f"{next(NUMBERS)}/{{z}}/{{x}}/{{y}}", ZOOM, ZOOM, name, name, None
        )
        native.ground.offer(source, _tiles_of(ground))
        survey = Survey(name, name, "2026-01-01T00:00:00", ground.area, ground.grid,
                        ModelFacts.of(card), ImageryFacts.of(source))  # fmt: skip
        await Surveyor(survey, runner, source, native.ground, native.clock, lambda *_: None).run()
        surveys.append(survey)
        sources.append(source)
    comparer = Comparer(
        surveys[0], surveys[1], (sources[0], sources[1]), native.models, native.classifier,
        native.ground, native.busy,
    )  # fmt: skip
    apart = await comparer.register()
    assert apart is not None and not apart.matters, apart
    await comparer.look(lambda: None)
    change = comparer.change
    called = change.changed()
    unknown = change.count(*(set(Outcome) - {Outcome.SAME, Outcome.CHANGED}))[0]
    return Count(len(before.grid), len(gone), len(called), len({*called} & {*gone}),
                 comparer.candidates, unknown)  # fmt: skip


def _tiles_of(ground: Ground):
    async def make(tile: Tile) -> np.ndarray:
        assert tile.z == ZOOM
        out = np.full((TILE_PX, TILE_PX, 3), GREY_RGB, np.uint8)
        x, y = tile.x * TILE_PX - ground.left, tile.y * TILE_PX - ground.top
        part = ground.pixels[max(y, 0) : y + TILE_PX, max(x, 0) : x + TILE_PX]
        out[max(-y, 0) : max(-y, 0) + part.shape[0], max(-x, 0) : max(-x, 0) + part.shape[1]] = part
        return out

    return make
