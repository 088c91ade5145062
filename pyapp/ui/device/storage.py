"""What is kept on the device: how much, whether for good, and how to be rid of it."""

from pyscript import web, when

from pyapp.bridge import device, release

NAMES = {
    "python": "Page, Python and map",
    "packages": "Its packages",
    "answer": "Model and its runtime",
    "rest": "Imagery and the rest",
    "extra": "Graphics card runtime, other models",
}
MEGA = 1e6


class StoragePanel:
    """A table of what is stored; buttons to keep it for good, and to remove it."""

    def __init__(self):
        self._table = web.page["stored"]
        self._for_good = web.page["for-good"]
        self._persist = web.page["persist"]
        self._remove = web.page["remove"]
        self._sure = web.page["sure"]
        when("toggle", web.page["device"])(self._show)
        when("click", self._persist)(self._keep)
        when("click", self._remove)(lambda _event: self._sure.showModal())
        when("close", self._sure)(self._answered)

    async def _show(self, _event=None) -> None:
        sizes = await release.kept_bytes()
        rows = []
        for part, name in NAMES.items():
            if sizes.get(part):
                rows += [web.dt(name), web.dd(f"{sizes[part] / MEGA:.1f} MB")]
        used, free = await release.stored_mb()
        if used:
            rows += [web.dt("In all, as the browser counts"), web.dd(f"{used:.1f} MB")]
        if free:
            rows += [web.dt("Room left"), web.dd(f"{free / 1000:.1f} GB")]
        self._table.replaceChildren(*(row._dom_element for row in rows))
        self._remove.hidden = not any(sizes.values())
        lasting = await release.is_persistent()
        self._persist.hidden = lasting or not rows
        self._for_good.textContent = (
            "Kept until you remove it."
            if lasting
            else "The browser may clear it when the device runs short of space."
        )

    async def _keep(self, _event) -> None:
        if await release.persist():
            await self._show()
        else:
            self._for_good.textContent = (
                "The browser does not promise that yet. Install the page or bookmark it, "
                "then try again."
            )

    async def _answered(self, _event) -> None:
        if self._sure.returnValue == "yes":
            await release.remove()
            device.remember(device.MEMORY, "")
            device.remember(device.CARD, "")
            await self._show()
            self._for_good.textContent = "Removed. Lookdown is fetched again at the next visit."
