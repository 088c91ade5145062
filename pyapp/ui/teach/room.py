"""The room where a person teaches: the classes, and how they are given to squares."""

from dataclasses import dataclass, field

from pyscript import web, when

from pyapp.bridge.leaflet import GroundMap
from pyapp.bridge.overlays import ClassMarks
from pyapp.core.errors import LookdownError, TwoClassesError
from pyapp.core.ground.geo import Footprint, LngLat, bounds_of
from pyapp.core.model.tree import Tree
from pyapp.core.survey.colours import colour, node_colours
from pyapp.core.teach.archive import to_png
from pyapp.core.teach.project import Project, digest_of
from pyapp.core.teach.taught import Taught
from pyapp.ui.device.wording import NO_EMBEDDING
from pyapp.ui.ground.imagery import ImageryPanel
from pyapp.ui.ground.square import Square
from pyapp.ui.shell.dom import fill, on, on_any, option, toggle, worded
from pyapp.ui.shell.history import History
from pyapp.ui.shell.notice import Notice
from pyapp.ui.survey.layer import SurveyLayer
from pyapp.ui.teach.wording import KEYS, what_next
from pyapp.work.ground import Ground
from pyapp.work.models import Models
from pyapp.work.tasks import Tasks
from pyapp.work.teach.teacher import Given, Teacher

TEACH = "teach"
OWN_PICTURE = "a picture of your own"


@dataclass
class Giving:
    """Gives squares and pictures to classes.

    If one has a class already, the person is asked which it is.
    """

    teacher: Teacher
    models: Models
    ground: Ground
    imagery: ImageryPanel
    history: History
    notice: Notice
    tasks: Tasks
    _waiting: "tuple[str, list[Given], TwoClassesError] | None" = None

    def __post_init__(self):
        self._which = web.page["which"]
        self._buttons = list(self._which.find("button"))
        on("close", self._which, self._answered)

    def change(self, what: str, project: Project) -> None:
        """Take another state of the project, which can be undone."""
        before = self.teacher.project
        if project != before:
            self.history.add(what, lambda: self.teacher.take(before))
            self.teacher.take(project)

    def square(self, label: str, footprint: Footprint) -> None:
        """Give a square of ground to a class."""
        self.tasks.start(self._give_square(label, footprint))

    async def _give_square(self, label: str, footprint: Footprint) -> None:
        runner, source = self.models.runner, self.imagery.source
        if runner is None:
            return
        try:
            chip = await self.ground.chip(source, footprint, runner.card)
        except LookdownError as error:
            self.notice.tell(error, TEACH)
            return
        await self.give(label, [Given(chip.pixels, footprint, source.credit)])

    async def give(self, label: str, given: list[Given]) -> None:
        """Give chips to a class."""
        before, runner = self.teacher.project, self.models.runner
        if runner is not None and not runner.card.embeds:
            self.notice.say(NO_EMBEDDING, TEACH)
            return
        try:
            await self.teacher.add(label, given)
        except TwoClassesError as error:
            self._ask(label, given, error)
            return
        except LookdownError as error:
            self.notice.tell(error, TEACH)
            return
        self.notice.clear(TEACH)
        if self.teacher.project != before:
            what = f"an example of {label}" if len(given) == 1 else f"{len(given)} examples"
            self.history.add(what, lambda: self.teacher.take(before))

    def _ask(self, label: str, given: list[Given], error: TwoClassesError) -> None:
        self._waiting = (label, given, error)
        web.page["which-said"].textContent = str(error)
        for button, name in zip(self._buttons, (error.before, error.after), strict=True):
            button.textContent = name
        self._which.returnValue = ""
        self._which.showModal()

    def _answered(self) -> None:
        if self._waiting is None:
            return
        (label, given, error), self._waiting = self._waiting, None
        if self._which.returnValue == "after":
            self.change("another class", self.teacher.project.moved(error.sha256, label))
        if len(given) > 1 and self._which.returnValue:
            # The others are still to be given.
            self.tasks.start(self.give(label, self._without(given, error.sha256)))

    @staticmethod
    def _without(given: list[Given], sha256: str) -> list[Given]:
        return [each for each in given if digest_of(to_png(each.pixels)) != sha256]


@dataclass
class TeachRoom:
    """Names classes, and gives them the square, a click on the map, or what is to be labelled.

    Attributes
    ----------
    chosen : str or None
        The class that clicks give, and whose examples are shown.
    """

    teacher: Teacher
    giving: Giving
    ground_map: GroundMap
    square: Square
    layer: SurveyLayer
    models: Models
    notice: Notice
    chosen: str | None = None
    _on_choose: list = field(default_factory=list)

    def __post_init__(self):
        self._marks = ClassMarks(self.ground_map)
        self._details = web.page["teach"]
        self._list = web.page["class-list"]
        self._name = web.page["class-name"]
        self._click = web.page["teach-click"]
        when("submit", web.page["class-form"])(self._add_class)
        on("toggle", self._details, self.show)
        on_any("click", self._list, ".give", lambda button: self.press(button.value))
        on_any("click", self._list, ".count", lambda button: self.choose(button.value))
        on_any("click", self._list, ".remove", self._remove)
        self.teacher.on_change(self.show)

    @property
    def is_open(self) -> bool:
        """Whether the room is open."""
        return bool(self._details.open)

    @property
    def takes_clicks(self) -> bool:
        """Whether clicks on the map give a class."""
        return self.is_open and bool(self._click.checked) and self.chosen is not None

    def on_choose(self, handler) -> None:
        """Call ``handler()`` when another class is chosen."""
        self._on_choose.append(handler)

    def toggle(self) -> None:
        """Open or close the room."""
        toggle(self._details)

    def open(self) -> None:
        """Open the room."""
        self._details.open = True

    def close(self) -> None:
        """Close the room."""
        self._details.open = False

    def press(self, label: str) -> None:
        """Give the square to a class; while clicks give one, choose it only."""
        self.choose(label)
        if not self.takes_clicks:
            self.giving.square(label, self.square.footprint)

    def choose(self, label: str) -> None:
        """Choose a class."""
        self.chosen = label
        self.show()
        for handler in self._on_choose:
            handler()

    def key(self, number: int) -> None:
        """Give the square to the class of a key, from 1 on."""
        classes = self.teacher.project.classes
        if self.is_open and number <= len(classes):
            self.press(classes[number - 1])

    def clicked(self, place: LngLat) -> bool:
        """Whether a click on the map gave a class to the square there."""
        if not self.takes_clicks or self.chosen is None:
            return False
        number = self.layer.number_at(place)
        survey = self.layer.survey
        footprint = (
            Footprint(place, self.square.footprint.side_m)
            if number is None or survey is None
            else survey.grid.footprint(number)
        )
        self.square.cover(footprint)
        self.giving.square(self.chosen, footprint)
        return True

    def show(self) -> None:
        """Show the classes, and mark their examples on the map while the room is open."""
        project = self.teacher.project
        if self.chosen not in project.classes:
            self.chosen = project.classes[0] if project.classes else None
        runner = self.models.runner
        can = runner is None or runner.card.embeds
        web.page["teach-hint"].textContent = what_next(project) if can else NO_EMBEDDING
        web.page["teach-doing"].textContent = self.teacher.doing
        web.page["click-row"].hidden = self.chosen is None
        web.page["click-class"].textContent = self.chosen or ""
        rows = [self._row(number, label) for number, label in enumerate(project.classes)]
        fill(self._list, rows)
        self._offer_known(project)
        self._mark(project)

    def _row(self, number: int, label: str):
        count = self.teacher.project.count(label)
        swatch = web.span(classes=["swatch"])
        swatch._dom_element.style.background = palette(self.teacher.project, self.teacher.taught)[
            label
        ]
        parts = [web.kbd(str(number + 1))] if number < KEYS else []
        give = web.button(*parts, swatch, worded(web.span(), label), type="button", value=label,
                          classes=["give"])  # fmt: skip
        give.setAttribute("aria-pressed", "true" if label == self.chosen else "false")
        give.setAttribute("aria-label", f"Give the square to {label}")
        shown = web.button(f"{count:,}", type="button", value=label, classes=["count"])
        shown.setAttribute("aria-label", f"Show the examples of {label}: {count}")
        remove = web.button("×", type="button", value=label, classes=["remove"])
        remove.setAttribute("aria-label", f"Remove the class {label}")
        return web.li(give, shown, remove)

    def _offer_known(self, project: Project) -> None:
        runner = self.models.runner
        known = () if runner is None else runner.card.labels
        there = {each.casefold() for each in project.classes}
        fill(
            web.page["known-classes"],
            [option("", each) for each in known if each.casefold() not in there],
        )

    def _mark(self, project: Project) -> None:
        colours = palette(project, self.teacher.taught)
        self._marks.show(
            [
                (bounds_of(each.place), colours[each.label])
                for each in project.examples
                if each.place is not None
            ]
            if self.is_open
            else []
        )

    def _add_class(self, event) -> None:
        event.preventDefault()
        try:
            project = self.teacher.project.with_class(self._name.value)
        except LookdownError as error:
            self.notice.tell(error, TEACH)
            return
        self.notice.clear(TEACH)
        self._name.value = ""
        self.giving.change(f"the class {project.classes[-1]}", project)
        self.choose(project.classes[-1])

    def _remove(self, button) -> None:
        label = button.value
        self.giving.change(f"removing {label}", self.teacher.project.without_class(label))


def palette(project: Project, taught: Taught | None) -> dict[str, str]:
    """The colour of each class as CSS has it; those with examples have that of surveys."""
    tree = Tree.flat(project.taught)
    if taught is not None and taught.card.labels == project.taught:
        tree = taught.card.tree
    shown = [*project.taught, *(each for each in project.classes if each not in project.taught)]
    colours = node_colours(tree)[: len(project.taught)]
    more = [colour(number) for number in range(len(colours), len(shown))]
    return {label: f"rgb{each}" for label, each in zip(shown, [*colours, *more], strict=True)}
