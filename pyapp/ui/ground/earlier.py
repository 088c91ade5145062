"""Files of one's own that were opened before: one click opens one again."""

from dataclasses import dataclass, field
from typing import Any

from pyscript import web

from pyapp.bridge import handles
from pyapp.core.imagery.source import ARCHIVES
from pyapp.core.imagery.worldfile import PICTURES, SYSTEMS, TIFFS, WORLDS
from pyapp.ui.ground.files import OwnFiles
from pyapp.ui.ground.placing import Group
from pyapp.ui.shell.dom import fill, on_any
from pyapp.work.remembered import EarlierFile, EarlierFiles
from pyapp.work.tasks import Tasks


@dataclass
class EarlierList:
    """The list, and the choosing of files such that they can be listed.

    Nothing of a file is read, and nobody is asked for permission, before its row is clicked.
    """

    files: OwnFiles
    earlier: EarlierFiles
    tasks: Tasks
    _listed: dict[str, EarlierFile] = field(default_factory=dict)
    _given: list[Any] = field(default_factory=list)

    def __post_init__(self):
        self._list = web.page["own-earlier"]
        self._drops = handles.Drops()
        on_any("click", self._list, "button", self._press)
        self.files.on_opened(self._opened)
        if handles.can_pick():
            self.files.choose_with(self._pick)

    async def show(self) -> None:
        """List what is remembered."""
        found = await self.earlier.all()
        self._listed = {each.digest: each for each in found}
        fill(self._list, [_row(each) for each in found])
        self._list.hidden = not found

    async def _pick(self) -> list[Any]:
        """Files that the person chooses, whose handles are kept until they are opened."""
        self._given = await handles.pick((*TIFFS, *ARCHIVES, *PICTURES, *WORLDS, *SYSTEMS))
        return [await handles.file_of(each) for each in self._given]

    async def _opened(self, digest: str, group: Group) -> None:
        """Note what was opened, if the browser gave handles of all of it."""
        names = {each.name for each in group.files}
        kept = [each for each in self._given if each.name in names]
        if {each.name for each in kept} != names:
            kept = await self._drops.handles(names)
        if kept:
            kept.sort(key=lambda each: each.name != group.picture.name)
            name = group.picture.name
            await self.earlier.note(EarlierFile(digest, name, tuple(kept), group.epsg))
            await self.show()

    def _press(self, button) -> None:
        file = self._listed.get(button.value)
        if file is not None:
            forgets = button.name == "forget"
            self.tasks.start(self._forget(file) if forgets else self._open(file))

    async def _open(self, file: EarlierFile) -> None:
        for each in file.handles:
            await handles.allow(each)
        picture, *companions = [await handles.file_of(each) for each in file.handles]
        self._given = list(file.handles)
        await self.files.open_group(Group(picture, companions, file.epsg))

    async def _forget(self, file: EarlierFile) -> None:
        await self.earlier.forget(file.digest)
        await self.show()


def _row(file: EarlierFile) -> Any:
    """The name, which is text whatever it holds, and a way to forget it."""
    name = web.button(type="button", value=file.digest, name="open")
    name.textContent = file.name
    away = web.button("×", type="button", value=file.digest, name="forget", title="Forget it")
    away.setAttribute("aria-label", f"Forget {file.name}")
    return web.li(name, away)
