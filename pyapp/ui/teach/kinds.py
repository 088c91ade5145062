"""Which group of the model's tree a new class is put into."""

from dataclasses import dataclass

from pyscript import web

from pyapp.core.teach.grouping import OWN, groups_to_choose
from pyapp.ui.shell.dom import fill, on, option
from pyapp.ui.teach.room import Giving, TeachRoom
from pyapp.work.models import Models
from pyapp.work.teach.teacher import Teacher


@dataclass
class Kinds:
    """Offers the groups for the chosen class, if the model has some and does not know the class."""

    room: TeachRoom
    teacher: Teacher
    giving: Giving
    models: Models

    def __post_init__(self):
        self._row = web.page["kind-row"]
        self._label = web.page["kind-class"]
        self._choice = web.page["kind"]
        on("change", self._choice, self._choose)
        self.teacher.on_change(self._show)
        self.room.on_choose(self._show)

    def _show(self) -> None:
        runner, label = self.models.runner, self.room.chosen
        groups = [] if runner is None else groups_to_choose(runner.card.tree)
        known = set() if runner is None else {each.casefold() for each in runner.card.labels}
        self._row.hidden = label is None or not groups or label.casefold() in known
        if self._row.hidden or label is None:
            return
        self._label.textContent = label
        fill(self._choice, [option(OWN, ""), *(option(each, each) for each in groups)])
        chosen = self.teacher.project.groups.get(label, "")
        self._choice.value = chosen if chosen in groups else ""

    def _choose(self) -> None:
        label = self.room.chosen
        if label is not None:
            project = self.teacher.project.in_group(label, self._choice.value or None)
            self.giving.change(f"the kind of {label}", project)
