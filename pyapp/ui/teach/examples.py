"""The examples of a class as pictures: looked at, moved to another class, removed."""

from dataclasses import dataclass

from pyscript import web

from pyapp.bridge import canvas
from pyapp.bridge.leaflet import GroundMap
from pyapp.core.errors import LookdownError
from pyapp.core.imagery.mosaic import UndecodableError
from pyapp.core.teach.archive import from_png
from pyapp.core.teach.example import Example
from pyapp.ui.ground.square import Square
from pyapp.ui.shell.dom import fill, on, on_any, option, worded
from pyapp.ui.teach.room import Giving, TeachRoom
from pyapp.work.tasks import Tasks
from pyapp.work.teach.teacher import Teacher

MOST_SHOWN = 60
ASIDE = "kept aside"


@dataclass
class ExamplePictures:
    """Draws examples; each picture is decoded once."""

    teacher: Teacher
    tasks: Tasks

    def buttons(self, examples: list[Example], texts: list[str]) -> list:
        """A button with a picture for each example."""
        found = []
        for each, text in zip(examples, texts, strict=True):
            picture = web.canvas()
            parts = [picture, worded(web.span(), text)] if text else [picture]
            button = web.button(*parts, type="button", value=each.sha256)
            aside = f", {ASIDE}" if each.aside else ""
            button.setAttribute("aria-label", f"Example of {each.label}{_where(each)}{aside}")
            button.setAttribute("title", each.credit)
            self.tasks.start(self._draw(each, picture))
            found.append(button)
        return found

    async def _draw(self, example: Example, picture) -> None:
        try:
            png = await self.teacher.pictures.picture(self.teacher.project, example.sha256)
            pixels = from_png(png)
        except (LookdownError, UndecodableError):
            # It is missing on the page as on the device.
            return
        canvas.draw(picture._dom_element, pixels[::2, ::2])


def _where(example: Example) -> str:
    if example.place is None:
        return ", a picture"
    lng, lat = example.place.centre
    return f", at {lat:.5f}, {lng:.5f}"


@dataclass
class Examples:
    """The examples of the chosen class."""

    room: TeachRoom
    teacher: Teacher
    giving: Giving
    pictures: ExamplePictures
    ground_map: GroundMap
    square: Square
    _shown: tuple = ()
    _picked: str = ""

    def __post_init__(self):
        self._section = web.page["examples"]
        self._strip = web.page["example-strip"]
        self._row = web.page["example-row"]
        self._class = web.page["example-class"]
        on_any("click", self._strip, "button", lambda button: self.pick(button.value))
        on("change", self._class, self._move)
        on("click", web.page["example-go"], self._go)
        on("click", web.page["example-remove"], self._remove)
        self.teacher.on_change(self._show)
        self.room.on_choose(self._show)

    def pick(self, sha256: str) -> None:
        """Offer what can be done with an example."""
        example = self.teacher.project.find(sha256)
        if example is None:
            return
        if example.label != self.room.chosen:
            self.room.choose(example.label)
        self._picked = sha256
        self._show()

    def _show(self) -> None:
        project, label = self.teacher.project, self.room.chosen
        examples = [each for each in project.examples if each.label == label][-MOST_SHOWN:][::-1]
        self._section.hidden = not examples
        shown = (project.id, tuple(examples))
        if shown != self._shown:
            self._shown = shown
            texts = [ASIDE if each.aside else "" for each in examples]
            fill(self._strip, self.pictures.buttons(examples, texts))
        web.page["examples-title"].textContent = f"Examples of {label}"
        picked = project.find(self._picked)
        self._row.hidden = picked is None or picked.label != label
        for button in self._strip.find("button"):
            button.setAttribute("aria-current", "true" if button.value == self._picked else "false")
        if picked is not None:
            fill(self._class, [option(each, each) for each in project.classes])
            self._class.value = picked.label
            web.page["example-go"].hidden = picked.place is None

    def _move(self) -> None:
        moved = self.teacher.project.moved(self._picked, self._class.value)
        self.giving.change("another class", moved)

    def _remove(self) -> None:
        self.giving.change("removing an example", self.teacher.project.without(self._picked))

    def _go(self) -> None:
        example = self.teacher.project.find(self._picked)
        if example is not None and example.place is not None:
            self.ground_map.include(example.place.centre)
            self.square.cover(example.place._replace(side_m=self.square.footprint.side_m))
