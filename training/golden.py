"""The golden places of a model: squares of the built-in imagery, and what native onnxruntime says.

The page runs its own runtime on them, and uses no runtime that says something else.
"""

from pathlib import Path

import numpy as np
import onnxruntime

from pyapp.core import mosaic
from pyapp.core.chip import cut
from pyapp.core.device import Golden
from pyapp.core.geo import Footprint, box_of, tiles_under, zoom_for
from pyapp.core.model import INPUT, PROBABILITY, Card
from pyapp.core.source import sources_from_json
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
    tiles, limits = imagery.sample_tiles(), (source.min_zoom, source.max_zoom)
    footprints = [Footprint(each, card.footprint_m) for each in places]
    chips = np.stack([native_chip(tiles, each, card, *limits) for each in footprints])
    session = onnxruntime.InferenceSession(str(place / "model.onnx"))
    (probability,) = session.run([PROBABILITY], {INPUT: chips})
    write_text(place / GOLDEN, Golden(places, probability).to_json())


def native_chip(
    folder: Path, footprint: Footprint, card: Card, min_zoom: int, max_zoom: int
) -> np.ndarray:
    """The chip that the page cuts there, from the tiles ``{z}/{x}/{y}.jpg`` of a folder.

    Returns
    -------
    uint8 [S, S, 3]
    """
    zoom = zoom_for(footprint.centre.lat, card.resolution_m, min_zoom, max_zoom)
    box = box_of(footprint, zoom)
    tiles = {
        tile: mosaic.decode((folder / f"{tile.z}/{tile.x}/{tile.y}.jpg").read_bytes())
        for tile in tiles_under(box, zoom)
    }
    return cut(mosaic.lay(tiles), box, card.chip_px)
