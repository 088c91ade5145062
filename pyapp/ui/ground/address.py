"""The page's address: read at start, kept up to date."""

import asyncio

from pyapp.bridge import browser
from pyapp.bridge.leaflet import GroundMap
from pyapp.core.address import fragment_of, query_with_imagery, square_from, view_from
from pyapp.core.ground.geo import Footprint
from pyapp.core.imagery.coverage import fullest_view
from pyapp.ui.ground.imagery import ImageryPanel
from pyapp.ui.ground.square import Square

REST_S = 0.3


class AddressBar:
    """``?imagery=`` and ``#map=zoom/lat/lng&square=lat/lng``."""

    def __init__(self, imagery: ImageryPanel):
        self._imagery = imagery
        self.first_view = view_from(browser.fragment()) or imagery.home

    def keep(self, ground_map: GroundMap, square: Square) -> None:
        """Write what the map shows from now on, and go where a changed fragment says."""
        writing: asyncio.TimerHandle | None = None

        def write(_event=None):
            query = query_with_imagery(browser.query(), self._imagery.named_in_address)
            where = fragment_of(ground_map.view, square.footprint.centre)
            browser.show_address(query, where)

        def write_soon():
            # Browsers forbid to write the address with every step of a drag.
            nonlocal writing
            if writing is not None:
                writing.cancel()
            writing = asyncio.get_running_loop().call_later(REST_S, write)

        def go(_event=None):
            fragment = browser.fragment()
            view, centre = view_from(fragment), square_from(fragment)
            if view is not None and view != ground_map.view:
                ground_map.show(view)
            if centre is not None:
                square.cover(Footprint(centre, square.footprint.side_m))

        if view_from(browser.fragment()) is None:
            home = square.footprint
            ground_map.show(
                fullest_view(self._imagery.builtin, self.first_view, *ground_map.size_px)
            )
            square.cover(home)
        go()
        ground_map.on("moveend", write)
        square.on_move(write_soon)
        self._imagery.on_pick(write)
        browser.on_window("hashchange", go)
        write()
