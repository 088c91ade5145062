"""Pictures of one's own: chosen, taken, dropped or shared; one in the panel, many as a list."""

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pyscript import web

from pyapp.bridge import browser, canvas
from pyapp.bridge.pictures import bytes_of, chosen_files
from pyapp.core.errors import LookdownError
from pyapp.core.imagery.photo_errors import LargeFileError
from pyapp.ui.answer.classify import Classify
from pyapp.ui.ground.imagery import ImageryPanel
from pyapp.ui.pictures.view import PictureView
from pyapp.ui.pictures.wording import NO_PHOTO, progress, said_of
from pyapp.ui.shell.dom import fill, on, on_any, worded
from pyapp.ui.shell.notice import ANSWER, Notice
from pyapp.work.busy import Busy
from pyapp.work.ground import Ground
from pyapp.work.pictures import Pictures, SeenPicture, pictures_to_csv
from pyapp.work.tasks import Tasks

MOST_BYTES = 256 << 20
# Seconds in which the page shows what it is about to do.
SHOWING_S = 0.03
# Under which name it is busy while it reads a list.
READING = "pictures"


@dataclass
class PictureRoom:
    """Takes pictures, and shows what was found in them."""

    view: PictureView
    pictures: Pictures
    ground: Ground
    classify: Classify
    imagery: ImageryPanel
    notice: Notice
    tasks: Tasks
    busy: Busy
    _files: list[Any] = field(default_factory=list)
    _seen: list[SeenPicture] = field(default_factory=list)
    _task: "asyncio.Task[None] | None" = None

    def __post_init__(self):
        self._chooser, self._camera = web.page["picture-files"], web.page["picture-camera"]
        self._box, self._list = web.page["pictures"], web.page["picture-list"]
        self._said, self._bar = web.page["pictures-said"], web.page["pictures-bar"]
        self._save, self._stop = web.page["pictures-save"], web.page["pictures-stop"]
        for each in (self._chooser, self._camera):
            on("change", each, partial(self._chosen, each))
        on("cancel", self._camera, lambda: self.notice.say(NO_PHOTO, ANSWER))
        on_any("click", self._list, "button", lambda row: self._open_row(int(row.value)))
        on("click", self._save, self._save_csv)
        on("click", self._stop, self._stop_or_close)

    def choose(self) -> None:
        """Let the person choose pictures."""
        self._chooser._dom_element.click()

    async def open(self, files: list[Any]) -> None:
        """Look at one picture, or at many."""
        await self.classify.until_ready()
        if len(files) == 1:
            await self._open_file(files[0])
        elif files:
            self._begin_list(files)

    async def open_bytes(self, name: str, data: bytes) -> None:
        """Look at a picture that another application shared.

        Raises
        ------
        NotAPictureError
        """
        await self.classify.until_ready()
        self.view.show(name, await self.ground.photo(data))

    async def _open_file(self, file) -> None:
        self.notice.clear(ANSWER)
        try:
            with self.busy.doing(READING):
                await self.open_bytes(file.name, await _read(file))
        except LookdownError as error:
            self.notice.tell(error, ANSWER)

    def _chosen(self, chooser) -> None:
        files = chosen_files(chooser)
        if files:
            self.imagery.close()
            self.tasks.start(self.open(files))

    def _begin_list(self, files: list[Any]) -> None:
        if self._task is not None:
            self._task.cancel()
        self.view.close()
        self._files, self._seen = files, []
        rows = [_row(number, file.name) for number, file in enumerate(files)]
        fill(self._list, rows)
        self._box.hidden = False
        self._box._dom_element.scrollIntoView()
        self._task = self.tasks.start(self._look_at_all(files))

    async def _look_at_all(self, files: list[Any]) -> None:
        self._bar.hidden, self._save.disabled = False, True
        self._stop.textContent = "Cancel"
        try:
            with self.busy.doing(READING):
                for number, file in enumerate(files):
                    self._show_progress(len(files))
                    await asyncio.sleep(SHOWING_S)
                    seen = await self.pictures.look(file.name, partial(_read, file))
                    self._seen.append(seen)
                    self._show_row(number, seen)
        finally:
            if self._task is asyncio.current_task():
                self._task = None
                self._bar.hidden, self._save.disabled = True, not self._seen
                self._stop.textContent = "Close the list"
                self._show_progress(len(files) if len(self._seen) == len(files) else -1)

    def _show_progress(self, count: int) -> None:
        done, failed = len(self._seen), sum(each.answer is None for each in self._seen)
        self._said.textContent = progress(done, done if count < 0 else count, failed)
        self._bar.value = done / max(count, 1)

    def _show_row(self, number: int, seen: SeenPicture) -> None:
        row = self._list.find("li")[number]
        said = row.find("small")[0]
        said.textContent = said_of(seen)
        said.className = "wrong" if seen.answer is None else ""
        row.find("button")[0].disabled = seen.answer is None
        if seen.thumb is not None:
            canvas.draw(row.find("canvas")[0]._dom_element, seen.thumb)

    def _open_row(self, number: int) -> None:
        for each, row in enumerate(self._list.find("button")):
            row.setAttribute("aria-current", "true" if each == number else "false")
        self.tasks.start(self.open([self._files[number]]))

    def _save_csv(self) -> None:
        browser.save_file("pictures.csv", pictures_to_csv(self._seen).encode(), "text/csv")

    def _stop_or_close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            return
        self._box.hidden = True
        self._files, self._seen = [], []
        fill(self._list, [])


def _row(number: int, name: str):
    """A picture in the list: small, with its name and room for the answer."""
    picture = web.canvas(width=1, height=1)
    picture.setAttribute("aria-hidden", "true")
    text = web.span(worded(web.b(), name), worded(web.small(), "Waiting"))
    return web.li(web.button(picture, text, type="button", value=str(number), disabled=True))


async def _read(file) -> bytes:
    if file.size > MOST_BYTES:
        raise LargeFileError(file.name, file.size, MOST_BYTES)
    return await bytes_of(file)
