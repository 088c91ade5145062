"""The page's address: read at start, kept up to date."""

from pyapp.bridge import browser
from pyapp.bridge.leaflet import GroundMap
from pyapp.core.address import View, fragment_of, query_with_imagery, view_from
from pyapp.core.geo import LngLat
from pyapp.ui.imagery import ImageryPanel


class AddressBar:
    """``?imagery=`` and ``#map=zoom/lat/lng``."""

    def __init__(self, imagery: ImageryPanel):
        self._imagery = imagery
        zoom, lat, lng = imagery.home
        self.first_view = view_from(browser.fragment()) or View(LngLat(lng, lat), zoom)

    def keep(self, ground_map: GroundMap) -> None:
        """Write what the map shows from now on, and go where a changed fragment says."""

        def write(_event=None):
            query = query_with_imagery(browser.query(), self._imagery.named_in_address)
            browser.show_address(query, fragment_of(ground_map.view))

        def go(_event):
            view = view_from(browser.fragment())
            if view is not None and view != ground_map.view:
                ground_map.show(view)

        ground_map.on("moveend", write)
        self._imagery.on_pick(write)
        browser.on_window("hashchange", go)
        write()
