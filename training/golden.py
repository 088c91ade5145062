"""The golden places of a model: squares of the built-in imagery, and what native onnxruntime says.

The page runs its own runtime on them, and uses no runtime that says something else.
"""

from pathlib import Path

import numpy as np
import onnxruntime

from pyapp.core.ground.cut import Cut, Zooms
from pyapp.core.ground.geo import Footprint
from pyapp.core.imagery import mosaic
from pyapp.core.imagery.chip import cut
from pyapp.core.imagery.source import sources_from_json
from pyapp.core.model.backend import Golden
from pyapp.core.model.card import Card
from pyapp.core.model.prediction import INPUT, PROBABILITY
from training.files import write_text
from training.site_tools import imagery

GOLDEN = "golden.json"


def write_golden(place: Path, card: Card) -> None:
    """Write ``golden.json`` beside a finished model.

    Parameters
    ----------
    place : Path
        The model's folder.
    card : Card
    """
    source = sources_from_json(imagery.sources())[0]
    places = [each.centre for each in source.places]
    tiles = imagery.sample_tiles()
    footprints = [Footprint(each, card.footprint_m) for each in places]
    chips = np.stack([native_chip(tiles, each, card, source) for each in footprints])
    session = onnxruntime.InferenceSession(str(place / "model.onnx"))
    (probability,) = session.run([PROBABILITY], {INPUT: chips})
    write_text(place / GOLDEN, Golden(places, probability).to_json())


def native_chip(folder: Path, footprint: Footprint, card: Card, source: Zooms) -> np.ndarray:
    """The chip that the page cuts there, from the tiles ``{z}/{x}/{y}.jpg`` of a folder.

    Returns
    -------
    uint8 [S, S, 3]
    """
    recipe = Cut.of(footprint, source, card.resolution_m)
    tiles = {
        tile: mosaic.decode((folder / f"{tile.z}/{tile.x}/{tile.y}.jpg").read_bytes())
        for tile in recipe.tiles
    }
    return cut(mosaic.lay(tiles), recipe.box, card.chip_px)
