"""What a GeoTIFF of a survey can't say by itself, in the file that GDAL and QGIS read beside it.

That is GDAL's Persistent Auxiliary Metadata: ``NAME.tif.aux.xml``, with the names of the classes,
and a raster attribute table; and ``NAME.qml``, the style with which QGIS opens it: otherwise its
legend lists all 256 entries of the colour table.
"""

import html
import io
import zipfile

import numpy as np

from pyapp.core.model.tree import PATH_SIGN
from pyapp.core.survey.colours import node_colours
from pyapp.core.survey.facts import made_of
from pyapp.core.survey.paint import Look, Painter
from pyapp.core.survey.rasters import to_geotiff
from pyapp.core.survey.survey import Survey

# GDAL's numbers for types of fields (GDALRATFieldType) and for what they are for
# (GDALRATFieldUsage).
INTEGER, REAL, STRING = 0, 1, 2
GENERIC, COUNT, NAME, MIN_MAX, RED, GREEN, BLUE = 0, 1, 2, 5, 6, 7, 8
FIELDS = (
    ("Value", INTEGER, MIN_MAX),
    ("Class", STRING, NAME),
    ("Path", STRING, GENERIC),
    ("Level", STRING, GENERIC),
    ("Red", INTEGER, RED),
    ("Green", INTEGER, GREEN),
    ("Blue", INTEGER, BLUE),
    ("Squares", INTEGER, COUNT),
    ("Hectares", REAL, GENERIC),
)


def to_geotiff_zip(survey: Survey, look: Look, name: str) -> bytes:
    """A zip archive with a GeoTIFF of the survey, and what names its classes.

    Parameters
    ----------
    survey : Survey
    look : Look
    name : str
        Name of the files in the archive, without an ending.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}.tif", to_geotiff(survey, look))
        archive.writestr(f"{name}.tif.aux.xml", to_pam(survey, look))
        archive.writestr(f"{name}.qml", to_qml(survey, look))
    return out.getvalue()


def to_pam(survey: Survey, look: Look) -> str:
    """The file beside a GeoTIFF of `to_geotiff`: names by value, and a table of what is shown.

    ``Squares`` and ``Hectares`` are counts of the answers that are shown, without what is inside
    a group.
    """
    tree = survey.model.tree
    names = "".join(f"<Category>{_escaped(node.name)}</Category>" for node in tree.nodes)
    fields = "".join(
        f'<FieldDefn index="{index}"><Name>{name}</Name><Type>{kind}</Type>'
        f"<Usage>{usage}</Usage></FieldDefn>"
        for index, (name, kind, usage) in enumerate(FIELDS)
    )
    rows = "".join(
        f'<Row index="{index}">{"".join(f"<F>{_escaped(value)}</F>" for value in row)}</Row>'
        for index, row in enumerate(_rows(survey, look))
    )
    return (
        '<PAMDataset>\n<PAMRasterBand band="1">\n'
        f"<Description>{_escaped(f'{survey.name}. Imagery: {made_of(survey.imagery)}')}"
        "</Description>\n"
        f"<CategoryNames>{names}</CategoryNames>\n"
        '<GDALRasterAttributeTable tableType="thematic">\n'
        f"{fields}\n{rows}\n"
        "</GDALRasterAttributeTable>\n</PAMRasterBand>\n</PAMDataset>\n"
    )


def to_qml(survey: Survey, look: Look) -> str:
    """The style of QGIS for such a GeoTIFF: the classes and groups that it shows, by name."""
    rows = _rows(survey, look)
    entries = "".join(
        f'<paletteEntry value="{value}" label="{_escaped(name)}" alpha="255" '
        f'color="#{int(red):02x}{int(green):02x}{int(blue):02x}"/>\n'
        for value, name, _, _, red, green, blue, squares, _ in map(
            rows.__getitem__, survey.model.tree.order
        )
        if squares != "0"
    )
    return (
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
        '<qgis version="3.22.0" styleCategories="Symbology">\n<pipe>\n'
        '<rasterrenderer type="paletted" band="1" opacity="1" alphaBand="-1" nodataColor="">\n'
        f"<colorPalette>\n{entries}</colorPalette>\n</rasterrenderer>\n</pipe>\n</qgis>\n"
    )


def _rows(survey: Survey, look: Look) -> list[tuple[str, ...]]:
    """The values of `FIELDS` for each class and group."""
    tree = survey.model.tree
    shown = Painter(survey).classes(look)
    there = shown >= 0
    count = len(tree.nodes)
    squares = np.bincount(shown[there], minlength=count)
    hectares = np.bincount(shown[there], survey.grid.hectares[there], count)
    colours = node_colours(tree)
    return [
        (
            str(node.id), node.name, PATH_SIGN.join(tree.path(node.id)), node.level.label,
            *map(str, colours[node.id]), str(int(squares[node.id])),
            f"{float(hectares[node.id]):.4f}",
        )
        for node in tree.nodes
    ]  # fmt: skip


def _escaped(text: str) -> str:
    """A text as XML; what XML can't hold at all is left out."""
    return html.escape("".join(each for each in text if each >= " " or each in "\t\n\r"))
