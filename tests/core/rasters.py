"""Georeferenced pictures for tests, written and read by GDAL (rasterio)."""

import json
from pathlib import Path

import numpy as np
import rasterio
from rasterio.enums import ColorInterp, MaskFlags
from rasterio.transform import Affine as Transform
from rasterio.warp import transform

from pyapp.core.ground.geo import LngLat

PLACE = LngLat(85.5185, 27.634)
NAMES = {"uint8": (1, 8), "uint16": (1, 16), "int16": (2, 16), "float32": (3, 32)}


def write(path: Path, pixels, epsg: int, pixel_m: float, place=PLACE, turn=0.0, **options) -> Path:
    """Write bands, [bands, rows, columns], around a place; ``pixel_m`` in metres of ground."""
    bands, rows, columns = pixels.shape
    (x,), (y,) = transform("EPSG:4326", f"EPSG:{epsg}", [place.lng], [place.lat])
    across = down = pixel_m
    if epsg == 3857:
        across = down = pixel_m / np.cos(np.radians(place.lat))
    if epsg == 4326:
        down = pixel_m / 111_320
        across = down / np.cos(np.radians(place.lat))
    affine = Transform.translation(x, y) @ Transform.rotation(turn)
    affine @= Transform.translation(-across * columns / 2, down * rows / 2)
    affine @= Transform.scale(across, -down)
    profile = {
        "driver": "GTiff", "width": columns, "height": rows, "count": bands, "crs": f"EPSG:{epsg}",
        "dtype": pixels.dtype, "transform": affine, "tiled": True, "blockxsize": 256,
        "blockysize": 256, "compress": "deflate",
    } | options  # fmt: skip
    with rasterio.open(path, "w", **profile) as out:
        out.write(pixels)
    return path


def facts_of(path: Path, **changed) -> str:
    """What the reader of the page tells of a file, from what GDAL tells."""
    with rasterio.open(path) as file:
        bits, kind = NAMES[file.dtypes[0]][::-1]
        t = file.transform
        sizes = [(file.width, file.height)]
        sizes += [(-(-file.width // n), -(-file.height // n)) for n in file.overviews(1)]
        block_height, block_width = file.block_shapes[0]
        images = [
            {"width": w, "height": h, "block_width": block_width, "block_height": block_height,
             "kind": 0 if place == 0 else 1, "bands": file.count}
            for place, (w, h) in enumerate(sizes)
        ]  # fmt: skip
        alpha = ColorInterp.alpha in file.colorinterp
        code = file.crs.to_epsg() if file.crs else None
        name = "GeographicTypeGeoKey" if file.crs.is_geographic else "ProjectedCSTypeGeoKey"
        return json.dumps(
            {"name": path.name, "images": images, "bands": file.count,
             "bits": [bits] * file.count, "formats": [kind] * file.count,
             "extra": [2] if alpha else None, "photometric": 2 if file.count > 2 else 1,
             "planar": 1, "nodata": None if file.nodata is None else str(file.nodata),
             "palette": None, "little": True, "keys": {name: code}, "scale": None, "tie": None,
             "matrix": [t.a, t.b, 0, t.c, t.d, t.e, 0, t.f, *[0] * 8]} | changed
        )  # fmt: skip


def read(path: Path, level: int, window) -> np.ndarray:
    """Samples of a window of a level, [rows, columns, bands]."""
    options = {} if level == 0 else {"overview_level": level - 1}
    with rasterio.open(path, **options) as file:
        part = ((window.top, window.bottom), (window.left, window.right))
        return np.moveaxis(file.read(window=part), 0, 2)


def has_mask(path: Path) -> bool:
    """Whether GDAL sees pixels without data."""
    with rasterio.open(path) as file:
        return MaskFlags.all_valid not in file.mask_flag_enums[0]
