"""Another site that speaks WMS, WMTS and the catalogue of OpenAerialMap, and can misbehave."""

import io
import math
import re
from urllib.parse import parse_qs, urlsplit

from PIL import Image

from pyapp.core.ground.geo import EARTH_RADIUS_M, LngLat, tile_at
from tests.browser.tile_server import TileServer
from tests.core import capabilities
from tests.core.aerial import answer, item

REPORT = b"""<?xml version='1.0'?><ServiceExceptionReport><ServiceException>
msWMSLoadGetMapParams(): layer <![CDATA[<i>gone</i>]]></ServiceException>
</ServiceExceptionReport>"""
ITEM = re.compile(r"/raster/items/([^/]+)/tiles/WebMercatorQuad/(\d+)/(\d+)/(\d+)@1x$")
REST = re.compile(r"/wmts/ortho/default/2021/wm/(\d+)/(\d+)/(\d+)\.jpeg$")


class MapServices(TileServer):
    """The built-in tiles by ``/wms``, ``/old`` (WMS 1.1.1 in degrees), ``/wmts`` and ``/stac``.

    Attributes
    ----------
    items : list of dict
        What the catalogue lists.
    wms_says : str
        ``pictures``, or ``report`` (XML with status 200) or ``blank`` in place of them.
    """

    def __init__(self, folder):
        super().__init__(folder)
        self.wms_says = "pictures"
        self.items = [
            item("older", "2016-05-01T07:00:00Z", properties={"license": "CC-BY-NC-4.0"}),
            item("newer", "2025-05-20T08:00:00Z", properties={"gsd": 0.55}),
        ]

    @property
    def catalogue(self) -> dict:
        return {
            "name": "OpenAerialMap", "search": f"{self.origin}/stac/search",
            "collection": "openaerialmap",
            "tiles": self.origin + "/raster/items/{item}/tiles/WebMercatorQuad/{z}/{x}/{y}@1x"
            "?assets=visual&nodata=0",
        }  # fmt: skip

    def _answer(self, path):
        parts = urlsplit(path)
        query = {name.upper(): values[0] for name, values in parse_qs(parts.query).items()}
        if self.mood == "html":
            return 200, b"<!doctype html><title>Sign in</title>"
        if parts.path == "/stac/search":
            return (503, b"") if self.mood == "refusing" else (200, answer(*self.items))
        if query.get("REQUEST") == "GetCapabilities":
            return 200, self._capabilities(parts.path)
        if query.get("REQUEST") == "GetMap":
            return self._get_map(query)
        found = ITEM.match(parts.path)
        if found:
            return super()._answer("/{}/{}/{}.jpg".format(*found.groups()[1:]))
        found = REST.match(parts.path)
        if found:
            zoom, row, column = found.groups()
            return super()._answer(f"/{zoom}/{column}/{row}.jpg")
        return super()._answer(path)

    def _capabilities(self, path):
        if path == "/wmts":
            data = capabilities.wmts(self.origin + "/wmts")
            return data.replace(b">5.9 45.8<", b">85 27<").replace(b">10.5 47.9<", b">86 28<")
        if path == "/old":
            data = capabilities.wms_111(self.origin + "/old", srs="EPSG:4326")
            return data.replace(b'min="0.396"', b'min="0.8"').replace(
                b'minx="9.5" miny="47" maxx="14" maxy="50.7"',
                b'minx="85" miny="27" maxx="86" maxy="28"')  # fmt: skip
        if path == "/local":
            return capabilities.wms_130(self.origin + "/wms?", crs="<CRS>EPSG:25832</CRS>")
        return capabilities.wms_130(self.origin + "/wms?")

    def _get_map(self, query):
        if self.wms_says == "report":
            return 200, REPORT
        if self.wms_says == "blank":
            return 200, blank()
        west, south, east, north = map(float, query["BBOX"].split(","))
        if (query.get("CRS") or query.get("SRS")) == "EPSG:3857":
            metre = math.degrees(1 / EARTH_RADIUS_M)
            zoom = round(math.log2(360 / ((east - west) * metre)))
            lng = (west + east) / 2 * metre
            lat = math.degrees(math.atan(math.sinh((south + north) / 2 / EARTH_RADIUS_M)))
        else:
            zoom = round(math.log2(360 / (east - west)))
            lng, lat = (west + east) / 2, (south + north) / 2
        x, y, z = tile_at(LngLat(lng, lat), zoom)
        return super()._answer(f"/{z}/{x}/{y}.jpg")


def blank() -> bytes:
    """A white picture."""
    out = io.BytesIO()
    Image.new("RGB", (256, 256), "white").save(out, "PNG")
    return out.getvalue()
