"""The way of one square without a browser: what the page is compared with."""

import numpy as np

from pyapp.core import mosaic
from pyapp.core.chip import cut
from pyapp.core.geo import box_of, tiles_under, zoom_for
from pyapp.core.model import predictions


def native_chip(folder, footprint, card, min_zoom: int, max_zoom: int) -> np.ndarray:
    """The chip under a footprint, cut from the tiles ``{z}/{x}/{y}.jpg`` of a folder."""
    zoom = zoom_for(footprint.centre.lat, card.resolution_m, min_zoom, max_zoom)
    box = box_of(footprint, zoom)
    tiles = {
        tile: mosaic.decode((folder / f"{tile.z}/{tile.x}/{tile.y}.jpg").read_bytes())
        for tile in tiles_under(box, zoom)
    }
    return cut(mosaic.lay(tiles), box, card.chip_px)


def native_answer(card, session, chip):
    """What native onnxruntime says of a chip, uint8 [S, S, 3]."""
    names = [output.name for output in session.get_outputs()]
    values = session.run(None, {"image": chip[np.newaxis]})
    return predictions(card, dict(zip(names, values, strict=True)))[0]
