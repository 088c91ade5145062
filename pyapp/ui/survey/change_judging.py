"""Squares of a comparison judged on both dates, one key each; what follows from it."""

import secrets
from dataclasses import dataclass

from pyscript import web

from pyapp.core.change.change import Outcome
from pyapp.core.change.check import MOST_SEED, ChangeCheck, Said, begin, find, to_facts
from pyapp.ui.shell.dom import fill, on, on_any, worded
from pyapp.ui.shell.history import History
from pyapp.ui.shell.keys import Keys
from pyapp.ui.survey.change_view import ChangeView
from pyapp.ui.survey.change_wording import answers_for, judged
from pyapp.ui.survey.check_wording import how_far
from pyapp.work.change import Comparer
from pyapp.work.ports import Settings

# Squares to judge, at least ten of each transition.
WANTED = 60


@dataclass
class ChangeJudging:
    """The check of a comparison; it is remembered by the two surveys."""

    view: ChangeView
    keys: Keys
    settings: Settings
    history: History
    _comparer: Comparer | None = None
    _check: ChangeCheck | None = None
    _cell: int | None = None

    def __post_init__(self):
        self._button = web.page["change-check"]
        self._says = web.page["change-says"]
        on("click", self._button, self._press)
        on_any("click", self._says, "button", lambda each: self._say(Said(int(each.value))))

    def begin(self, comparer: Comparer) -> None:
        """Show what was judged of a comparison, once all of it was looked at."""
        self.end()
        self._comparer = comparer
        text = self.settings.recall(self._name) or ""
        self._check = ChangeCheck.from_json(text, comparer.change)
        self._button.hidden = bool(comparer.change.left)
        self._refresh()

    def end(self) -> None:
        """Judge no more; what was judged stays."""
        if self._cell is not None:
            self._cell = None
            self.keys.give_to(None)
            self._says.hidden = True
            self.view.show_cell(None, False)
            self._refresh()

    @property
    def _name(self) -> str:
        assert self._comparer is not None
        change = self._comparer.change
        return "lookdown change " + " ".join(sorted((change.before.id, change.after.id)))

    def _press(self) -> None:
        if self._cell is not None or self._comparer is None:
            self.end()
            return
        if self._check is None or not self._check.left:
            before, comparer = self._check, self._comparer
            self._check = begin(comparer.change, WANTED, secrets.randbelow(MOST_SEED))
            self.history.add("the sample", lambda: self._take(comparer, before))
        self.keys.give_to(self._key)
        self._next()

    def _take(self, comparer: Comparer, check: ChangeCheck | None) -> None:
        """Go on with an earlier sample, or none."""
        if comparer is self._comparer:
            self.end()
            self._check = check
            self.settings.remember(self._name, "" if check is None else check.to_json())
            self._refresh()

    def _key(self, name: str) -> bool:
        if name == "esc":
            self.end()
        elif name == "backspace":
            if self._check is not None and self._check.take_back() is not None:
                self._changed()
        else:
            meant = {key: said for key, said, _ in answers_for(self._is_called)}
            if name not in meant:
                return False
            self._say(meant[name])
        return True

    @property
    def _is_called(self) -> bool:
        """Whether the square that is judged is called changed."""
        if self._comparer is None or self._cell is None:
            return False
        return bool(self._comparer.change.outcome[self._cell] == Outcome.CHANGED)

    def _say(self, said: Said) -> None:
        if self._check is not None and self._cell is not None:
            self._check.judgements[self._cell] = said
            self._changed()

    def _changed(self) -> None:
        assert self._check is not None
        self.settings.remember(self._name, self._check.to_json())
        self._next()

    def _next(self) -> None:
        """Show the next square of the sample; after the last one, end."""
        assert self._check is not None
        left = self._check.left
        if not left:
            self.end()
            return
        self._cell = left[0]
        self.view.show_cell(self._cell, self._is_called)
        buttons = [
            web.button(web.kbd(key), worded(web.span(), f" {text}"), type="button", value=int(said))
            for key, said, text in answers_for(self._is_called)
        ]
        fill(self._says, buttons)
        self._says.hidden = False
        self._refresh()

    def _refresh(self) -> None:
        comparer, check = self._comparer, self._check
        if comparer is None:
            return
        if self._cell is not None:
            # A key comes first: figures are worked out once the person has stopped.
            assert check is not None
            web.page["change-checked"].textContent = how_far(check)
            self._button.textContent = "Pause"
            return
        found = None if check is None else find(comparer.change, check)
        web.page["change-checked"].textContent = judged(check, found)
        self.view.tell_areas({} if found is None else found.transitions)
        self.view.checked = None if check is None else to_facts(comparer.change, check, found)
        if check is None:
            self._button.textContent = "Check it"
        else:
            self._button.textContent = "Go on judging" if check.left else "Draw a new sample"
