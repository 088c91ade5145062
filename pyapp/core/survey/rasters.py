"""Surveys as georeferenced pictures, for map programs."""

import html
import io
import zipfile

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from pyapp.core.ground.area import PLANE
from pyapp.core.ground.geo import resolution_m, world_px
from pyapp.core.ground.grid import Grid
from pyapp.core.model.tree import PATH_SIGN
from pyapp.core.survey.colours import node_colours
from pyapp.core.survey.facts import ImageryFacts, made_of
from pyapp.core.survey.paint import Look, Painter
from pyapp.core.survey.survey import Survey

# Stands for a class if a cell has none to show.
NO_CLASS = 255
# Tags of GeoTIFF (OGC 19-008r4) and of GDAL.
PIXEL_SCALE, TIE_POINT, GEO_KEYS, NO_DATA, DESCRIPTION = 33550, 33922, 34735, 42113, 270
GDAL_METADATA = 42112
# Version 1.1.0; three keys: a projected model, a pixel is an area, EPSG:3857.
WEB_MERCATOR_KEYS = (1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 3857)
WEB_MERCATOR = """<PAMDataset>
  <SRS dataAxisToSRSAxisMapping="1,2">EPSG:3857</SRS>
</PAMDataset>
"""


def origin_and_pixel(grid: Grid) -> tuple[float, float, float]:
    """West edge, north edge and width of a cell, in metres of EPSG:3857."""
    metres = resolution_m(PLANE, 0.0)
    half = world_px(PLANE) / 2
    return (grid.left - half) * metres, (half - grid.top) * metres, grid.pitch * metres


def to_geotiff(survey: Survey, look: Look) -> bytes:
    """A GeoTIFF with a colour table, one pixel per cell: the id of the node that is shown.

    Ids of classes are their places among the model's outputs, and those of groups follow.
    `NO_CLASS` stands for cells that are not classified, unsure or hidden.
    """
    classes = Painter(survey).classes(look)
    indices = np.where(classes < 0, NO_CLASS, classes).astype(np.uint8)
    picture = Image.fromarray(survey.grid.spread(indices, NO_CLASS), "P")
    palette = np.zeros((256, 3), np.uint8)
    colours = node_colours(survey.model.tree)
    palette[: len(colours)] = colours
    picture.putpalette(palette.tobytes())
    west, north, pixel = origin_and_pixel(survey.grid)
    tags = ImageFileDirectory_v2()
    for tag, kind, value in (
        (PIXEL_SCALE, 12, (pixel, pixel, 0.0)),
        (TIE_POINT, 12, (0.0, 0.0, 0.0, west, north, 0.0)),
        (GEO_KEYS, 3, WEB_MERCATOR_KEYS),
        (NO_DATA, 2, str(NO_CLASS)),
        (DESCRIPTION, 2, _legend(survey).encode("ascii", "replace").decode()),
        (GDAL_METADATA, 2, _metadata(survey.imagery)),
    ):
        tags.tagtype[tag] = kind
        tags[tag] = value
    out = io.BytesIO()
    picture.save(out, "TIFF", tiffinfo=tags)
    return out.getvalue()


def to_png(survey: Survey, look: Look, name: str) -> bytes:
    """A zip archive with the picture as shown and what places it on a map.

    Parameters
    ----------
    survey : Survey
    look : Look
    name : str
        Name of the files in the archive, without an ending.

    Returns
    -------
    bytes
        A PNG, its world file, its reference system (for GDAL and QGIS) and a legend.
    """
    png = io.BytesIO()
    Image.fromarray(Painter(survey).paint(look)).save(png, "PNG")
    west, north, pixel = origin_and_pixel(survey.grid)
    # A world file places the middle of the first pixel (ESRI).
    numbers = (pixel, 0.0, 0.0, -pixel, west + pixel / 2, north - pixel / 2)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(f"{name}.png", png.getvalue())
        archive.writestr(f"{name}.pgw", "".join(f"{each!r}\n" for each in numbers))
        archive.writestr(f"{name}.png.aux.xml", WEB_MERCATOR)
        archive.writestr(f"{name}-legend.txt", _legend(survey) + "\n")
    return out.getvalue()


def _legend(survey: Survey) -> str:
    tree = survey.model.tree
    codes = ["#" + "".join(f"{part:02x}" for part in each) for each in node_colours(tree)]
    lines = [f"{each} {PATH_SIGN.join(tree.path(each))} {codes[each]}" for each in tree.order]
    return "\n".join([f"{survey.name}. Imagery: {made_of(survey.imagery)}", *lines])


def _metadata(imagery: ImageryFacts) -> str:
    """What GDAL and QGIS list as the metadata of a picture; in ASCII, as TIFF wants it.

    GDAL escapes each text twice (``GTiffDataset::WriteMetadata``), and reads it so.
    """
    facts = {
        "IMAGERY": imagery.name,
        "IMAGERY_CREDIT": imagery.credit,
        "IMAGERY_DATE": imagery.date,
    }
    items = [
        f'<Item name="{name}">{html.escape(html.escape(text))}</Item>'
        for name, text in facts.items()
        if text
    ]
    metadata = f"<GDALMetadata>{''.join(items)}</GDALMetadata>"
    return metadata.encode("ascii", "xmlcharrefreplace").decode()
