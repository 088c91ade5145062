"""Which imagery lies under the square."""

from collections.abc import Callable
from dataclasses import replace

from pyscript import web, when

from pyapp.bridge import browser
from pyapp.bridge.leaflet import Draw, GroundMap
from pyapp.core.address import ImageryRef, View, imagery_from
from pyapp.core.errors import AddressError, ForbiddenReadingError, LookdownError
from pyapp.core.ground.geo import LngLat
from pyapp.core.imagery.choice import readable
from pyapp.core.imagery.coverage import fullest_view
from pyapp.core.imagery.source import (
    OWN_ID,
    Source,
    is_archive,
    is_geotiff,
    is_service,
    own_source,
)
from pyapp.core.survey.facts import ImageryFacts
from pyapp.ui.ground.sources import SourceList
from pyapp.ui.shell.dom import on, toggle
from pyapp.ui.shell.notice import ANSWER, IMAGERY, Notice

OWN_MAX_ZOOM = 19


class ImageryPanel:
    """The sources one can choose from; the first is built in and chosen at first.

    A source of another site is read only after the person picked it, or agreed to the link that
    asks for it.
    """

    def __init__(self, sources: list[Source], notice: Notice):
        self._sources = sources
        self._notice = notice
        self._on_pick: list[Callable[[], None]] = []
        self._on_address: Callable[[str], object] = lambda _address: None
        self._on_service: Callable[[str], object] = lambda _address: None
        # What draws the tiles of sources that are made here.
        self._draws: dict[str, Draw] = {}
        # The same of sources of which areas are kept.
        self._kept_draws: dict[str, Draw] = {}
        self._asked_for: Source | None = None
        self._details = web.page["imagery"]
        self._agree = web.page["agree"]
        self._elsewhere = web.page["elsewhere"]
        self._own_error = web.page["own-error"]
        self.source = self._first_source()
        self._list = SourceList([each for each in sources if each.allows.show], self.pick)
        when("submit", web.page["sources"])(self._use_own)
        on("close", self._agree, self._agreed)
        on("click", self._elsewhere.find("button")[0], self._go_home)

    @property
    def builtin(self) -> Source:
        """The imagery that is on the device."""
        return self._sources[0]

    def readable(self, place: LngLat, bulk: bool = False) -> list[str]:
        """Names of imagery that covers a place and may be classified, or surveyed, there."""
        return readable(self._sources, place, bulk)

    def to_read(self, place: LngLat) -> Source:
        """The chosen imagery, to be classified at a place.

        Raises
        ------
        ForbiddenReadingError
            If its terms do not allow that.
        """
        if not self.source.allows.read:
            raise ForbiddenReadingError(self.source.name, self.readable(place))
        return self.source

    def find(self, facts: ImageryFacts) -> Source | None:
        """The source of a survey, if it is the one chosen or on the device; else ``None``.

        With the zooms that the survey noted: its chips must be cut as they were.
        """
        return _as_noted(facts, (self.source, self.builtin))

    def find_listed(self, facts: ImageryFacts) -> Source | None:
        """The same, if it is any of those that can be chosen."""
        return _as_noted(facts, (self.source, *self._sources))

    def draw_of(self, source: Source) -> Draw | None:
        """What draws the tiles of a source here, if they are not fetched."""
        return self._draws.get(source.url) or self._kept_draws.get(source.url)

    @property
    def home(self) -> View:
        """The place to begin at, in the middle."""
        home = self.builtin.home
        assert home is not None, "the built-in imagery has a place to begin at"
        zoom, lat, lng = home
        return View(LngLat(lng, lat), zoom)

    @property
    def named_in_address(self) -> ImageryRef | None:
        """How the page's address names the imagery; ``None`` for the built-in one."""
        if self._asked_for is not None:
            return imagery_from(browser.query())
        if self.source is self._sources[0]:
            return None
        if self.source.url in self._draws:
            # A file is not there when the address is opened again.
            return None
        if self.source.id.startswith(OWN_ID):
            return ImageryRef(self.source.url, self.source.max_zoom)
        return ImageryRef(self.source.id)

    def offer(self, source: Source, draw: Draw) -> None:
        """List imagery whose tiles are drawn here, in place of what has its id, and show it."""
        self._draws[source.url] = draw
        self.add(source)

    def add(self, source: Source) -> None:
        """List imagery, in place of what has its id, and show it."""
        self._sources = [each for each in self._sources if each.id != source.id] + [source]
        self._list.put(source)
        self.pick(source)

    def remove(self, source: Source) -> None:
        """List imagery no more; if it is shown, the built-in one is shown instead."""
        self._sources = [each for each in self._sources if each.id != source.id]
        self._list.take_away(source)
        if self.source.id == source.id:
            self.pick(self.builtin)
        self._map_moved()

    @property
    def listed(self) -> list[Source]:
        """The sources to choose from."""
        return list(self._sources)

    def draw_kept(self, draws: dict[str, Draw]) -> None:
        """Draw the tiles of some sources here, by their addresses: areas of them are kept."""
        before, self._kept_draws = self._kept_draws, draws
        url = self.source.url
        if (url in before) != (url in draws):
            # It may have been said that the provider does not answer.
            self._notice.clear(IMAGERY)
            self._lay(self.source)

    def on_address(self, handler: Callable[[str], object]) -> None:
        """Call ``handler(address)`` when the person gives the address of a file of imagery."""
        self._on_address = handler

    def on_service(self, handler: Callable[[str], object]) -> None:
        """Call ``handler(address)`` when the person gives an address without places for tiles."""
        self._on_service = handler

    def on_pick(self, handler: Callable[[], None]) -> None:
        """Call ``handler()`` after another imagery was chosen."""
        self._on_pick.append(handler)

    def show_on(self, ground_map: GroundMap) -> None:
        """Show the chosen imagery on a map, from now on."""
        self._map: GroundMap = ground_map
        ground_map.on("moveend", lambda _event: self._map_moved())
        self._use(self.source)
        if self._asked_for is not None:
            web.page["agree-origin"].textContent = self._asked_for.origin
            self._agree.showModal()

    def toggle(self) -> None:
        """Open or close the list."""
        toggle(self._details)

    def open(self) -> None:
        """Open the list."""
        self._details.open = True

    def close(self) -> None:
        """Close the list."""
        self._details.open = False

    def _first_source(self) -> Source:
        """The source that the link names; of another site, only noted until the person agrees."""
        named = imagery_from(browser.query())
        source = self._sources[0]
        if named is not None:
            try:
                source = self._find(named)
            except AddressError as error:
                self._notice.tell(error, IMAGERY)
        if source.origin is None:
            return source
        self._asked_for = source
        return self._sources[0]

    def _find(self, named: ImageryRef) -> Source:
        for source in self._sources:
            if named.name in (source.id, source.url):
                return source
        max_zoom = OWN_MAX_ZOOM if named.max_zoom is None else named.max_zoom
        return own_source(named.name, max_zoom, browser.origin())

    def pick(self, source: Source) -> None:
        """Show and read another imagery."""
        self._notice.clear(IMAGERY)
        self._notice.clear(ANSWER)
        self._asked_for = None
        self._use(source)
        self._tell_pick()
        if source.coverage and not self._map.sees_any(source):
            self._go_home()

    def _use(self, source: Source) -> None:
        self.source = source
        web.page["imagery-name"].textContent = source.name
        self._list.show(source)
        self._lay(source)
        self._map_moved()
        try:
            self.to_read(self._map.view.centre)
        except ForbiddenReadingError as error:
            self._notice.tell(error, IMAGERY)

    def _lay(self, source: Source) -> None:
        self._map.lay(source, lambda: self._say_unreadable(source), self.draw_of(source))

    def _say_unreadable(self, source: Source) -> None:
        if self._notice.is_about(IMAGERY):
            # A service was tried when it was chosen, and has said more exactly what is wrong.
            return
        self._notice.say(
            f"{source.name} does not answer, or shows its pictures without letting a page read "
            "them (no CORS), so the square cannot be classified on it. Check the address and the "
            "connection, or choose another imagery.",
            IMAGERY,
        )

    def _use_own(self, event) -> None:
        event.preventDefault()
        address = web.page["own-url"].value.strip()
        if is_geotiff(address) or is_archive(address):
            self._own_error.textContent = ""
            self._on_address(address)
            return
        if is_service(address):
            self._own_error.textContent = ""
            self._on_service(address)
            return
        try:
            max_zoom = int(web.page["own-zoom"].value or OWN_MAX_ZOOM)
            source = own_source(address, max_zoom, browser.origin())
        except AddressError as error:
            self.say_wrong_address(error)
            return
        self._own_error.textContent = ""
        self.pick(source)
        self.close()

    def say_wrong_address(self, error: LookdownError) -> None:
        """Say what is wrong with the address that the person gave, beside it."""
        self._own_error.textContent = str(error)
        web.page["own-url"].focus()

    def _agreed(self) -> None:
        source, self._asked_for = self._asked_for, None
        if self._agree.returnValue == "yes" and source is not None:
            self.pick(source)
        else:
            self._tell_pick()

    def _tell_pick(self) -> None:
        for handler in self._on_pick:
            handler()

    def _map_moved(self) -> None:
        """List what covers the place; where the built-in imagery ends, offer the way back."""
        self._list.arrange(self._map.view.centre)
        self._elsewhere.hidden = not self.source.coverage or self._map.sees_any(self.source)

    def _go_home(self) -> None:
        self._map.show(fullest_view(self.builtin, self.home, *self._map.size_px))


def _as_noted(facts: ImageryFacts, sources: tuple[Source, ...]) -> Source | None:
    """The source that a survey was made on, with the zooms that it noted."""
    for source in sources:
        if source.url == facts.url:
            zooms = facts.min_zoom, facts.max_zoom
            if (source.min_zoom, source.max_zoom) == zooms:
                return source
            return replace(source, min_zoom=zooms[0], max_zoom=zooms[1])
    return None
