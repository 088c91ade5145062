"""The golden places of a model: squares of the built-in imagery, and native onnxruntime's answers.

The page runs its own backends on them, and uses none that answers differently.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pyapp.core.ground.cut import Cut, Zooms
from pyapp.core.ground.geo import TILE_PX, Footprint, LngLat, Pixel, Tile, place_at
from pyapp.core.imagery import mosaic
from pyapp.core.imagery.chip import cut
from pyapp.core.imagery.source import Source, sources_from_json
from pyapp.core.model.backend import Golden
from pyapp.core.model.card import Card
from training.figures import measure
from training.files import write_text
from training.site_tools import imagery

GOLDEN_FILE = "golden.json"


def write_golden(place: Path, model: Path, card: Card) -> None:
    """Write ``golden.json`` beside a finished model.

    Parameters
    ----------
    place : Path
        The model's folder.
    model : Path
        Its file.
    card : Card

    Raises
    ------
    TrainingError
        If it can't be written.
    """
    source = sources_from_json(imagery.sources())[0]
    tiles = imagery.sample_tiles()
    places: list[LngLat] = []
    chips: list[NDArray[np.uint8]] = []
    for each in candidates(source, card, tiles):
        try:
            chip = native_chip(tiles, Footprint(each, card.footprint_m), card, source)
        except FileNotFoundError:
            continue
        places.append(each)
        chips.append(chip)
        if len(places) == len(source.places):
            break
    probability = measure.probabilities(model, np.stack(chips))
    write_text(place / GOLDEN_FILE, Golden(places, probability).to_json())


def candidates(source: Source, card: Card, tiles: Path) -> Iterator[LngLat]:
    """The places of the built-in imagery, then the middles of its tiles.

    The square of a model for wide areas may reach beyond the imagery at a place near its edge.
    """
    yield from (each.centre for each in source.places)
    there = Footprint(source.places[0].centre, card.footprint_m)
    zoom = Cut.of(there, source, card.resolution_m).tiles[0].z
    for file in sorted((tiles / str(zoom)).glob("*/*")):
        x, y = int(file.parent.name) + 0.5, int(file.stem) + 0.5
        yield place_at(Pixel(x * TILE_PX, y * TILE_PX), zoom)


def native_chip(folder: Path, footprint: Footprint, card: Card, source: Zooms) -> NDArray[np.uint8]:
    """The chip that the page cuts for a footprint.

    Parameters
    ----------
    folder : Path
        With the tiles ``{z}/{x}/{y}``, whatever their format and ending.
    footprint : Footprint
    card : Card
        Its resolution and chip size.
    source : Zooms
        The coarsest and the finest zoom of the tiles.

    Returns
    -------
    ndarray of uint8, shape (S, S, 3)

    Raises
    ------
    FileNotFoundError
        If a tile is missing.
    """
    recipe = Cut.of(footprint, source, card.resolution_m)
    tiles = {tile: mosaic.decode(_file_of(folder, tile).read_bytes()) for tile in recipe.tiles}
    return cut(tiles, recipe.box, card.chip_px)


def _file_of(folder: Path, tile: Tile) -> Path:
    found = next((folder / f"{tile.z}/{tile.x}").glob(f"{tile.y}.*"), None)
    if found is None:
        raise FileNotFoundError(f"{folder} has no tile {tile.z}/{tile.x}/{tile.y}")
    return found
