"""What is kept on the device: how much, whether for good, and how to remove it."""

from dataclasses import dataclass

from pyscript import web

from pyapp.bridge import release
from pyapp.bridge.device import ACCELERATORS
from pyapp.ui.device.wording import PARTS
from pyapp.ui.shell.dom import fill, on
from pyapp.work.ports import Settings
from pyapp.work.runner import RECORD
from pyapp.work.tasks import Tasks

MEGA = 1e6


@dataclass
class StoragePanel:
    """A table of what is stored; buttons to keep it for good, and to remove it."""

    settings: Settings
    tasks: Tasks

    def __post_init__(self):
        self._table = web.page["stored"]
        self._for_good = web.page["for-good"]
        self._persist = web.page["persist"]
        self._remove = web.page["remove"]
        self._sure = web.page["sure"]
        on("toggle", web.page["device"], lambda: self.tasks.start(self._show()))
        on("click", self._persist, lambda: self.tasks.start(self._keep()))
        on("click", self._remove, self._sure.showModal)
        on("close", self._sure, lambda: self.tasks.start(self._answered()))

    async def _show(self) -> None:
        sizes = await release.kept_bytes()
        rows = []
        for part, name in PARTS.items():
            if sizes.get(part):
                rows += [web.dt(name), web.dd(f"{sizes[part] / MEGA:.1f} MB")]
        used, free = await release.stored_mb()
        if used:
            rows += [web.dt("In all, as the browser counts"), web.dd(f"{used:.1f} MB")]
        if free:
            rows += [web.dt("Room left"), web.dd(f"{free / 1000:.1f} GB")]
        fill(self._table, rows)
        self._remove.hidden = not any(sizes.values())
        lasting = await release.is_persistent()
        self._persist.hidden = lasting or not rows
        self._for_good.textContent = (
            "Kept until you remove it."
            if lasting
            else "The browser may clear it when the device runs short of space."
        )

    async def _keep(self) -> None:
        if await release.persist():
            await self._show()
        else:
            self._for_good.textContent = (
                "The browser does not promise that yet. Install the page or bookmark it, "
                "then try again."
            )

    async def _answered(self) -> None:
        if self._sure.returnValue == "yes":
            await release.remove()
            self.settings.remember(RECORD, "")
            self.settings.remember(ACCELERATORS, "")
            await self._show()
            self._for_good.textContent = "Removed. Lookdown is fetched again at the next visit."
