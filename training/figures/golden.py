"""The golden places of a model: squares of the built-in imagery, and native onnxruntime's answers.

The page runs its own backends on them, and uses none that answers differently.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pyapp.core.ground.cut import Cut, Zooms
from pyapp.core.ground.geo import Footprint
from pyapp.core.imagery import mosaic
from pyapp.core.imagery.chip import cut
from pyapp.core.imagery.source import sources_from_json
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
    places = [each.centre for each in source.places]
    tiles = imagery.sample_tiles()
    footprints = [Footprint(each, card.footprint_m) for each in places]
    chips = np.stack([native_chip(tiles, each, card, source) for each in footprints])
    probability = measure.probabilities(model, chips)
    write_text(place / GOLDEN_FILE, Golden(places, probability).to_json())


def native_chip(folder: Path, footprint: Footprint, card: Card, source: Zooms) -> NDArray[np.uint8]:
    """The chip that the page cuts for a footprint.

    Parameters
    ----------
    folder : Path
        With the tiles ``{z}/{x}/{y}.jpg``.
    footprint : Footprint
    card : Card
        Its resolution and chip size.
    source : Zooms
        The coarsest and the finest zoom of the tiles.

    Returns
    -------
    ndarray of uint8, shape (S, S, 3)
    """
    recipe = Cut.of(footprint, source, card.resolution_m)
    tiles = {
        tile: mosaic.decode((folder / f"{tile.z}/{tile.x}/{tile.y}.jpg").read_bytes())
        for tile in recipe.tiles
    }
    return cut(mosaic.lay(tiles), recipe.box, card.chip_px)
