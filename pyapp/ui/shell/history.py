"""What was done to the map, to be taken back step by step."""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from pyscript import web

from pyapp.ui.shell.dom import on

MOST = 50


class _Step(NamedTuple):
    what: str
    undo: Callable[[], object]
    kind: object


class History:
    """The steps that can be undone, and the button for the last of them."""

    def __init__(self):
        self._steps: deque[_Step] = deque(maxlen=MOST)
        self._button = web.page["undo"]
        self._what = self._button.find("span")[0]
        on("click", self._button, self.undo)

    def add(self, what: str, undo: Callable[[], object], kind: object = None) -> None:
        """Note a step.

        Parameters
        ----------
        what : str
            What is undone, as the button says it.
        undo : callable
        kind : object, optional
            Steps of one kind in a row count as one, which goes back to before the first.
        """
        if kind is not None and self._steps and self._steps[-1].kind == kind:
            return
        self._steps.append(_Step(what, undo, kind))
        self._show()

    def undo(self) -> None:
        """Take back the last step."""
        if self._steps:
            self._steps.pop().undo()
            self._show()

    def _show(self) -> None:
        self._button.hidden = not self._steps
        if self._steps:
            self._what.textContent = f"Undo: {self._steps[-1].what}"
