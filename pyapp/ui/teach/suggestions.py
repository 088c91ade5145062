"""Which squares to label next, as a strip that keys label."""

from dataclasses import dataclass, field

from pyscript import web

from pyapp.bridge import canvas
from pyapp.bridge.leaflet import GroundMap
from pyapp.core.errors import LookdownError
from pyapp.core.ground.geo import Footprint
from pyapp.ui.device.wording import NO_EMBEDDING
from pyapp.ui.shell.dom import fill, on, on_any
from pyapp.ui.shell.notice import Notice
from pyapp.ui.survey.layer import SurveyLayer
from pyapp.ui.teach.fits import FitCheck
from pyapp.ui.teach.room import TEACH, Giving, TeachRoom
from pyapp.work.models import Models
from pyapp.work.tasks import Tasks
from pyapp.work.teach.candidates import pool_of, suggested
from pyapp.work.teach.teacher import Teacher

SHOWN = 8


@dataclass
class Suggestions:
    """Squares whose label would help most; the current one is on the map under the square."""

    room: TeachRoom
    teacher: Teacher
    giving: Giving
    models: Models
    layer: SurveyLayer
    fits: FitCheck
    ground_map: GroundMap
    notice: Notice
    tasks: Tasks
    _squares: list[Footprint] = field(default_factory=list)

    def __post_init__(self):
        self._strip = web.page["next-strip"]
        self._said = web.page["next-said"]
        self._skip = web.page["next-skip"]
        on("click", web.page["next-find"], self.find)
        on("click", self._skip, self.skip)
        on_any("click", self._strip, "button", lambda button: self._take(int(button.value)))
        self.teacher.on_change(self._mind)
        self.layer.on_change(self.clear)

    def find(self) -> None:
        """Find squares to label, of the survey on the map or else of what the map shows."""
        self.room.open()
        self.tasks.start(self._find())

    async def _find(self) -> None:
        runner = self.models.runner
        if runner is None:
            return
        if not runner.card.embeds:
            self.notice.say(NO_EMBEDDING, TEACH)
            return
        if not self.teacher.project.classes:
            self.notice.say("Name the classes first, then squares to label can be found.", TEACH)
            return
        pool = pool_of(self.layer.original, self.fits.probed, runner.card.sha256)
        if pool is None:
            self._said.textContent = "Looking at some squares of what the map shows."
            await self.fits.look()
            pool = pool_of(None, self.fits.probed, runner.card.sha256)
        squares = [] if pool is None else suggested(self.teacher, pool, SHOWN)
        if not squares:
            self.clear()
            self._said.textContent = "There is nothing left to suggest here. Survey another area."
            return
        await self._show(squares)

    async def _show(self, squares: list[Footprint]) -> None:
        self._squares = squares
        pictures = [web.canvas() for _ in squares]
        buttons = []
        for number, picture in enumerate(pictures):
            button = web.button(picture, type="button", value=number)
            button.setAttribute("aria-label", f"Square {number + 1} to label")
            buttons.append(button)
        fill(self._strip, buttons)
        self._skip.hidden = False
        self._take(0)
        runner, source = self.models.runner, self.giving.imagery.source
        for footprint, picture in zip(squares, pictures, strict=True):
            if runner is None or self._squares is not squares:
                return
            try:
                chip = await self.giving.ground.chip(source, footprint, runner.card)
            except LookdownError:
                continue
            canvas.draw(picture._dom_element, chip.pixels[::2, ::2])

    def skip(self) -> None:
        """Leave the current square without a label."""
        self._next()

    def clear(self) -> None:
        """Take the strip away."""
        self._squares = []
        fill(self._strip, [])
        self._skip.hidden = True
        self._said.textContent = ""

    def _take(self, number: int) -> None:
        """Put the square on a square of the strip, which is labelled by the next key."""
        footprint = self._squares[number]
        self.room.square.cover(footprint)
        self.ground_map.include(footprint.centre)
        for place, button in enumerate(self._strip.find("button")):
            button.setAttribute("aria-current", "true" if place == number else "false")
        self._said.textContent = (
            f"{number + 1} of {len(self._squares)}: keys 1 to 9 give it a class, 0 skips it."
        )

    @property
    def _current(self) -> int | None:
        here = self.room.square.footprint
        return self._squares.index(here) if here in self._squares else None

    def _next(self) -> None:
        current = self._current
        if current is None:
            return
        if current + 1 < len(self._squares):
            self._take(current + 1)
        else:
            self.find()

    def _mind(self) -> None:
        """Once the current square has a class, the next one is up."""
        web.page["next"].hidden = not self.teacher.project.classes
        current = self._current
        if current is None:
            return
        place = self._squares[current]
        if any(each.place == place for each in self.teacher.project.examples):
            self._next()
