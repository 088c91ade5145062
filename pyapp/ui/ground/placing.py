"""Pictures whose place lies beside them: read, placed, and asked about if nothing says where."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from pyscript import web, when

from pyapp.bridge import canvas, geotiff
from pyapp.bridge.leaflet import GroundMap
from pyapp.bridge.pictures import bytes_of
from pyapp.core.errors import NoGeoreferenceError
from pyapp.core.imagery.file_errors import CoordinatesError
from pyapp.core.imagery.picture import taken
from pyapp.core.imagery.raster import Affine, size_in_json
from pyapp.core.imagery.worldfile import likely_epsg, placing_of, plain_epsg
from pyapp.work.placed import PictureReader, PlacedReader, pixels_of
from pyapp.work.ports import RasterReader


@dataclass
class Group:
    """A picture and what lies beside it, as files of the browser.

    Attributes
    ----------
    picture : File of the browser
    companions : list of File
    epsg : int
        The coordinate system that the person said; 0 if they were not asked.
    """

    picture: Any
    companions: list[Any]
    epsg: int = 0

    @property
    def files(self) -> list[Any]:
        """All of them."""
        return [self.picture, *self.companions]


@dataclass
class Placer:
    """Makes readers of pictures, and lets the person say which coordinates are theirs.

    Parameters
    ----------
    ground_map : GroundMap
    again : callable taking Group
        Opens a group once its coordinates are said.
    """

    ground_map: GroundMap
    again: Callable[[Group], object]
    _asked: Group | None = None

    def __post_init__(self):
        self._form = web.page["placing"]
        self._name = web.page["placing-name"]
        self._code = web.page["placing-code"]
        self._error = web.page["placing-error"]
        when("submit", self._form)(self._said)

    async def reader_of(self, group: Group) -> RasterReader | None:
        """A reader of a picture and its companions; ``None`` if the person is asked first.

        Raises
        ------
        NoGeoreferenceError
            If nothing says where it lies.
        WorldFileError, NotAPictureError
        """
        picture = group.picture
        companions = {each.name: await bytes_of(each) for each in group.companions}
        placing = placing_of(companions)
        if placing.affine is None:
            raise NoGeoreferenceError(picture.name)
        if await geotiff.is_tiff(picture):
            bare = geotiff.GeoTiff(picture, picture.name)
            width, height = size_in_json(await bare.describe())
            epsg = self._epsg(group, placing.epsg, placing.affine, width, height)
            return None if epsg is None else PlacedReader(bare, placing.affine, epsg)
        data = await bytes_of(picture)
        pixels: np.ndarray = await pixels_of(data, canvas.decode)
        height, width = pixels.shape[:2]
        epsg = self._epsg(group, placing.epsg, placing.affine, width, height)
        if epsg is None:
            return None
        return PictureReader(picture.name, pixels, placing.affine, epsg, taken(data))

    def close(self) -> None:
        """Ask no more."""
        self._asked = None
        self._form.hidden = True
        self._error.textContent = ""

    def _epsg(
        self, group: Group, named: int | None, affine: Affine, width: int, height: int
    ) -> int | None:
        """The coordinate system; ``None`` if the person has to say it, who is asked."""
        found = group.epsg or named or plain_epsg(affine, width, height)
        if found:
            return found
        self._asked = group
        self._name.textContent = group.picture.name
        self._code.value = str(likely_epsg(affine, width, height, self.ground_map.view.centre))
        self._form.hidden = False
        self._code.focus()
        return None

    def _said(self, event) -> None:
        event.preventDefault()
        group, code = self._asked, self._code.value.strip().upper().removeprefix("EPSG:")
        if group is None:
            return
        if not (code.isdecimal() and 4 <= len(code) <= 6):
            self._error.textContent = str(CoordinatesError())
            return
        self.close()
        self.again(Group(group.picture, group.companions, int(code)))
