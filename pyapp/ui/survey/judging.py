"""The squares of a sample, one after another, each judged by one key."""

from collections.abc import Callable
from dataclasses import dataclass

from pyscript import web

from pyapp.bridge import browser, canvas
from pyapp.core.accuracy.check import (
    CANT_TELL,
    OTHER,
    ground_name,
    grounds,
    map_answers,
    name_of,
)
from pyapp.core.errors import LookdownError
from pyapp.ui.shell.dom import fill, on, on_any, worded
from pyapp.ui.shell.keys import Keys
from pyapp.ui.survey.check_wording import CANT_TELL_KEY, KEYS, OTHER_KEY, survey_says
from pyapp.work.check import Checker, Pictures, Seen
from pyapp.work.tasks import Tasks

# From so many kinds on, they stand in two columns.
MANY = 9


@dataclass
class Judging:
    """The window in which squares are judged; closed, it pauses."""

    keys: Keys
    tasks: Tasks
    _checker: Checker | None = None
    _pictures: Pictures | None = None
    _cell: int | None = None
    _changed: Callable[[], object] = lambda: None

    def __post_init__(self):
        self._window = web.page["judge"]
        self._figure = self._window.find("figure")[0]
        self._picture = web.page["judge-picture"]
        self._kinds = web.page["judge-kinds"]
        self._wrong = web.page["judge-wrong"]
        self._again = web.page["judge-again"]
        self._peek = web.page["judge-peek"]
        self._meanings: dict[str, int] = {}
        for group in (self._kinds, web.page["judge-others"]):
            on_any("click", group, "button", lambda button: self._say(int(button.value)))
        on("click", web.page["judge-back"], self._back)
        on("click", web.page["judge-pause"], self._close)
        on("click", self._again, self._show)
        on("change", self._peek, self._show_answer)
        on("close", self._window, self._closed)

    def open(self, checker: Checker, pictures: Pictures, changed: Callable[[], object]) -> None:
        """Judge the squares that are left.

        Parameters
        ----------
        checker : Checker
        pictures : Pictures
        changed : callable
            Called after each judgement, and at the end.
        """
        assert checker.check is not None
        self._checker, self._pictures, self._changed = checker, pictures, changed
        self._answers = map_answers(checker.survey, checker.check.by)
        self._offer_kinds(checker)
        self._peek.checked = False
        self.keys.give_to(self._key)
        self._window.showModal()
        self._show()

    def tell(self, sentence: str) -> None:
        """Say how far it is, and what follows."""
        web.page["judge-said"].textContent = sentence

    def _offer_kinds(self, checker: Checker) -> None:
        assert checker.check is not None
        kinds = [each for each in grounds(checker.survey, checker.check.by) if each != OTHER]
        keys = dict(zip(kinds, KEYS, strict=False)) | {OTHER: OTHER_KEY, CANT_TELL: CANT_TELL_KEY}
        self._meanings = {key: each for each, key in keys.items()}
        names = {each: ground_name(checker.survey, each) for each in [*kinds, OTHER, CANT_TELL]}
        fill(self._kinds, [self._button(each, names[each], keys.get(each, "")) for each in kinds])
        others = [self._button(each, names[each], keys[each]) for each in (OTHER, CANT_TELL)]
        fill(web.page["judge-others"], others)
        self._kinds._dom_element.classList.toggle("many", len(kinds) >= MANY)

    @staticmethod
    def _button(said: int, name: str, key: str):
        parts = [web.kbd(key.upper())] if key else []
        return web.button(*parts, worded(web.span(), name), type="button", value=said)

    def _key(self, name: str) -> bool:
        if name == "backspace":
            self._back()
        elif name in self._meanings:
            self._say(self._meanings[name])
        else:
            return False
        return True

    def _say(self, said: int) -> None:
        if self._checker is None or self._checker.check is None or self._cell is None:
            return
        start_ms = browser.now_ms()
        self._checker.check.judge(self._cell, said)
        self._show()
        browser.measure("lookdown:judge", start_ms, browser.now_ms())
        self._changed()

    def _back(self) -> None:
        if self._checker is None or self._checker.check is None:
            return
        if self._checker.check.take_back() is not None:
            self._show()
            self._changed()

    def _show(self) -> None:
        """Show the next square; after the last one, close."""
        if self._checker is None or self._checker.check is None or self._pictures is None:
            return
        left = self._checker.check.left
        if not left:
            self._close()
            return
        self._cell = left[0]
        self._pictures.ahead(left)
        self._wrong.hidden = self._again.hidden = True
        self._show_answer()
        seen = self._pictures.at_once(self._cell)
        if seen is not None:
            self._draw(seen)
            return
        self._figure._dom_element.classList.add("waiting")
        self.tasks.start(self._wait(self._cell))

    async def _wait(self, cell: int) -> None:
        assert self._pictures is not None
        try:
            seen = await self._pictures.of(cell)
        except LookdownError as error:
            if self._cell == cell:
                self._wrong.textContent = str(error)
                self._wrong.hidden = self._again.hidden = False
            return
        if self._cell == cell:
            self._draw(seen)

    def _draw(self, seen: Seen) -> None:
        canvas.draw(self._picture._dom_element, seen.pixels)
        self._figure._dom_element.className = "alone" if seen.around == 1 else ""

    def _show_answer(self) -> None:
        said = web.page["judge-answer"]
        said.textContent = ""
        if self._peek.checked and self._checker is not None and self._cell is not None:
            name = name_of(self._checker.survey, int(self._answers[self._cell]))
            said.textContent = survey_says(name)

    def _close(self) -> None:
        self._window.close()

    def _closed(self) -> None:
        self.keys.give_to(None)
        if self._pictures is not None:
            self.tasks.start(self._pictures.close())
        self._cell, self._pictures = None, None
        self._changed()
