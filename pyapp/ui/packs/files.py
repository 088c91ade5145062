"""Packs as files: an area taken along, and one that came from another device."""

import asyncio
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pyscript import web

from pyapp.bridge import browser, release
from pyapp.bridge.given_file import GivenFile
from pyapp.bridge.pictures import chosen_files
from pyapp.core.errors import LookdownError
from pyapp.core.pack.archive import is_pack, joined
from pyapp.ui.packs.contents import PackContents
from pyapp.ui.packs.kept import KeptList
from pyapp.ui.packs.wording import contents, share
from pyapp.ui.shell.dom import on
from pyapp.ui.shell.notice import Notice
from pyapp.work.kept import HeldArea, KeptAreas
from pyapp.work.packs import OpenPack, Unpacker, opened, written
from pyapp.work.tasks import Tasks

PACK = "pack"
# Handed to the browser at a time.
PIECE_BYTES = 16 << 20
# The map is drawn, and mostly a first square classified, before the device stores anything.
STORE_AFTER_S = 2.0


@dataclass
class PackFiles:
    """Writes and opens packs, one at a time."""

    areas: KeptAreas
    listed: KeptList
    contents: PackContents
    unpacker: Unpacker
    notice: Notice
    tasks: Tasks
    _busy: bool = False

    def __post_init__(self):
        self._said = web.page["pack-said"]
        field = web.page["pack-file"]
        on("change", field, lambda: self._chosen(chosen_files(field)))
        self.listed.add_verb("along", "Take it along", self._take_along)

    def _chosen(self, files: list[Any]) -> None:
        for each in files[:1]:
            self.tasks.start(self.open(each))

    def _take_along(self, held: HeldArea) -> None:
        self.tasks.start(self._write(held))

    async def _write(self, held: HeldArea) -> None:
        if self._busy:
            return
        self._busy = True
        self.notice.clear(PACK)
        try:
            self._say("Gathering what goes along")
            given, credits = await self.contents.gathered(held)
            made = datetime.now().isoformat("T", "seconds")
            pieces = await written(
                self.areas, held, given, credits, made,
                lambda done, total: self._say(f"Packing: {share(done, total)}"),
            )  # fmt: skip
            name = re.sub(r"[^\w.-]+", "-", held.area.name).strip("-.") or "pack"
            browser.save_pieces(f"{name}.zip", joined(pieces, PIECE_BYTES), "application/zip")
            self._say("Packed: the file is among your downloads.")
        except (LookdownError, MemoryError) as error:
            self._say("")
            if isinstance(error, MemoryError):
                self.notice.say(
                    "There is too little memory to make the pack. Keep a smaller area.", PACK
                )
            else:
                self.notice.tell(error, PACK)
        finally:
            self._busy = False

    def knows(self, head: bytes) -> bool:
        """Whether a file that begins like this is a pack."""
        return is_pack(head)

    async def open(self, file: Any) -> None:
        """Check a pack, and use all that is in it."""
        if self._busy:
            return
        self._busy = True
        self.notice.clear(PACK)
        self.listed.imagery.open()
        try:
            self.contents.check_free()
            pack = await opened(
                GivenFile(file),
                lambda done, total: self._say(f"Checking {file.name}: {share(done, total)}"),
            )  # fmt: skip
            await release.persist()
            held = await self.unpacker.lend(pack)
            self.listed.show(held)
            self._say("Opening the model, surveys and classes")
            await self._take(pack)
            self._say(contents(pack.manifest))
            held.arriving = True
            self.listed.update()
            await asyncio.sleep(STORE_AFTER_S)
            storing = self.tasks.start(self.unpacker.store(pack, held))
            await self.listed.keep_showing(held)
            await asyncio.wait({storing})
        except LookdownError as error:
            self._say("")
            self.notice.tell(error, PACK)
        finally:
            self._busy = False
            self.listed.update()

    async def _take(self, pack: OpenPack) -> None:
        """Take what comes with the imagery; if a part can't be used, the others are."""
        try:
            await self.contents.take(pack)
        except LookdownError as error:
            self.notice.tell(error, PACK)

    def _say(self, sentence: str) -> None:
        self._said.textContent = sentence
        self._said.hidden = not sentence
