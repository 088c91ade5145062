"""Projects: chosen, named, begun, deleted; saved as files and opened; the model to take home."""

import re
from dataclasses import dataclass, field
from dataclasses import replace as changed

from pyscript import web

from pyapp.bridge import browser
from pyapp.bridge.pictures import bytes_of, chosen_files
from pyapp.core.address import project_from, query_with_project
from pyapp.core.errors import LookdownError, ProjectStoreError
from pyapp.core.teach.archive import from_archive, to_archive
from pyapp.core.teach.graph import Graph
from pyapp.core.teach.project import Project
from pyapp.core.teach.taught import metadata
from pyapp.ui.shell.dom import fill, on, option
from pyapp.ui.shell.notice import Notice
from pyapp.ui.teach.room import OWN_PICTURE, TEACH, Giving, TeachRoom
from pyapp.work.loading import ModelFiles
from pyapp.work.models import Models
from pyapp.work.tasks import Tasks
from pyapp.work.teach.slices import in_slices
from pyapp.work.teach.store import ProjectStore, StoredProject
from pyapp.work.teach.teacher import FIRST_NAME, Given, Teacher, new_project


@dataclass
class Projects:
    """The list of projects; the address names the one in use."""

    store: ProjectStore
    teacher: Teacher
    giving: Giving
    notice: Notice
    tasks: Tasks
    _stored: list[StoredProject] = field(default_factory=list)
    _shown: tuple = ()

    def __post_init__(self):
        self._choice = web.page["project"]
        self._name = web.page["project-name"]
        self._verbs = web.page.find("#teach [data-used]")
        on("change", self._choice, lambda: self.tasks.start(self.open(self._choice.value)))
        on("change", self._name, self._rename)
        on("click", web.page["project-new"], self._begin)
        on("click", web.page["project-delete"], lambda: self.tasks.start(self._delete()))
        self.teacher.on_change(self._show)

    async def begin(self) -> None:
        """Open the project that the address names, or the newest one."""
        try:
            await self.store.sweep()
            self._stored = await self.store.list()
        except ProjectStoreError:
            # That is told when there is something to store.
            self._stored = []
        wanted = project_from(browser.query())
        there = [each.id for each in self._stored]
        if wanted in there:
            await self.open(wanted)
        elif wanted is not None:
            self.notice.say("The project that this link names is not on this device.", TEACH)
        self._show()

    async def open(self, project_id: str) -> None:
        """Use a stored project."""
        if project_id == self.teacher.project.id:
            return
        try:
            project = await self.store.load(project_id)
        except ProjectStoreError as error:
            self.notice.tell(error, TEACH)
            self._show()
            return
        self.teacher.uses_taught = True
        self.teacher.take(project, keep=False)

    @property
    def names(self) -> set[str]:
        """Names that are taken."""
        return {each.name for each in self._stored} | {self.teacher.project.name}

    def taken(self, what: str, before: Project) -> None:
        """Note that the project in use was made otherwise, or took something; it can be undone.

        Parameters
        ----------
        what : str
            What is undone.
        before : Project
            That was in use. If it is another one, the new one is deleted when that is undone.
        """
        made = self.teacher.project
        self.giving.history.add(what, lambda: self.tasks.start(self._give_back(made, before)))
        self.tasks.start(self._refresh())

    async def _give_back(self, made: Project, before: Project) -> None:
        if made.id != before.id:
            await self._mark(made, True)
        self.teacher.take(before, keep=bool(before.classes))
        await self._refresh()

    def _begin(self) -> None:
        names = self.names
        number = next(each for each in range(1, 10_000) if _numbered(each) not in names)
        self.giving.change("a new project", new_project(_numbered(number)))
        self.tasks.start(self._refresh())

    def _rename(self) -> None:
        try:
            project = self.teacher.project.renamed(self._name.value)
        except LookdownError as error:
            self.notice.tell(error, TEACH)
            self._name.value = self.teacher.project.name
            return
        self.notice.clear(TEACH)
        self.giving.change("new name", project)
        self.tasks.start(self._refresh())

    async def _delete(self) -> None:
        """Delete the project in use; until the page is closed, that can be undone."""
        project = self.teacher.project
        self.giving.history.add(
            f"deleting {project.name}", lambda: self.tasks.start(self._restore(project))
        )
        await self._mark(project, True)
        left = [each for each in self._stored if each.id != project.id]
        if left:
            await self.open(left[0].id)
        else:
            self.teacher.take(new_project(FIRST_NAME), keep=False)

    async def _restore(self, project: Project) -> None:
        await self._mark(project, False)
        self.teacher.take(project)
        await self._refresh()

    async def _mark(self, project: Project, deleted: bool) -> None:
        try:
            await self.store.mark(project.id, deleted)
        except ProjectStoreError as error:
            self.notice.tell(error, TEACH)
        await self._refresh()

    async def _refresh(self) -> None:
        try:
            self._stored = await self.store.list()
        except ProjectStoreError:
            return
        self._show()

    def _show(self) -> None:
        project = self.teacher.project
        others = {each.id: each.name for each in self._stored} | {project.id: project.name}
        shown = (project.id, project.name, tuple(others.items()), bool(project.classes))
        if shown == self._shown:
            return
        self._shown = shown
        fill(self._choice, [option(name, key) for key, name in others.items()])
        self._choice.value = project.id
        web.page.find("label[for=project]")[0].hidden = len(others) < 2
        self._name.value = project.name
        for each in self._verbs:
            each.hidden = not project.classes and len(others) < 2
        named = project.id if project.classes else None
        browser.show_address(query_with_project(browser.query(), named), browser.fragment())


def _numbered(number: int) -> str:
    return FIRST_NAME if number == 1 else f"{FIRST_NAME} {number}"


@dataclass
class ProjectFiles:
    """Files of the room: projects, pictures, and the model to take home."""

    room: TeachRoom
    teacher: Teacher
    giving: Giving
    models: Models
    files: ModelFiles
    notice: Notice
    tasks: Tasks

    def __post_init__(self):
        pictures, opened = web.page["project-pictures"], web.page["project-open"]
        on("change", pictures, lambda: self.tasks.start(self.add(chosen_files(pictures))))
        on("change", opened, lambda: self.tasks.start(self._open(chosen_files(opened))))
        on("click", web.page["project-save"], lambda: self.tasks.start(self._save()))
        on("click", web.page["model-save"], lambda: self.tasks.start(self._save_model()))
        qgis = web.page["model-save-qgis"]
        on("click", qgis, lambda: self.tasks.start(self._save_model(for_qgis=True)))

    async def add(self, files: list) -> None:
        """Give the middle squares of pictures to the chosen class."""
        label, runner = self.room.chosen, self.models.runner
        if runner is None or not files:
            return
        if label is None:
            self.notice.say("Name a class first, then pictures can be given to it.", TEACH)
            return
        given, failed = [], 0
        for each in files:
            try:
                chip = await self.giving.ground.picture_chip(await bytes_of(each), runner.card)
            except LookdownError as error:
                failed += 1
                if len(files) == 1:
                    self.notice.tell(error, TEACH)
                continue
            given.append(Given(chip.pixels, None, OWN_PICTURE))
        if given:
            await self.giving.give(label, given)
        if failed and len(files) > 1:
            self.notice.say(
                f"{failed} of {len(files)} files can't be read as pictures, so they were left "
                "out. Save them as JPEG or PNG and try again.",
                TEACH,
            )

    async def see(self, data: bytes) -> None:
        """Open a project that was saved as a file.

        Raises
        ------
        NotAProjectError
        """
        self.room.open()
        await self.take(data, new_project("").id)

    async def take(self, data: bytes, project_id: str) -> None:
        """The same without opening the room, under an id unless it is the one in use.

        Raises
        ------
        NotAProjectError
        """
        project, pictures = await in_slices(from_archive(data), browser)
        if project.id != self.teacher.project.id:
            # It may be an older state of one that is stored.
            project = changed(project, id=project_id)
        await self.teacher.pictures.keep(project.id, pictures)
        self.giving.change(f"opening {project.name}", project)

    async def file(self) -> tuple[str, bytes] | None:
        """The project in use and its name, as `see` opens it; ``None`` if there is nothing in it.

        Raises
        ------
        TeachError
        """
        project = self.teacher.project
        if not project.examples:
            return None
        pictures = await self.teacher.pictures.pictures(project)
        return project.name, to_archive(project, pictures)

    async def _open(self, files: list) -> None:
        for each in files[:1]:
            try:
                await self.see(await bytes_of(each))
                self.notice.clear(TEACH)
            except LookdownError as error:
                self.notice.tell(error, TEACH)

    async def _save(self) -> None:
        project = self.teacher.project
        if not project.examples:
            self.notice.say("There is nothing to save yet. Give an example first.", TEACH)
            return
        found = await self.file()
        if found is not None:
            browser.save_file(f"{_file_name(project.name)}.zip", found[1], "application/zip")

    async def _save_model(self, for_qgis: bool = False) -> None:
        taught, runner = self.teacher.taught, self.models.runner
        if taught is None or runner is None:
            self.notice.say(
                "There is no model to download yet. Give examples of two classes first.", TEACH
            )
            return
        project = self.teacher.learned
        data = await self.files.file(runner.card)
        facts = metadata(project, taught, self.teacher.verdict)
        made = Graph(data).with_head(taught.head, facts)
        name = _file_name(project.name)
        if for_qgis:
            from pyapp.core.teach.deepness import for_deepness

            made, name = for_deepness(made, taught.card), f"{name}-deepness"
        browser.save_file(f"{name}.onnx", made, "application/octet-stream")


def _file_name(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "project"
