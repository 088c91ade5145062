"""Whether the page works offline, and the newer release that waits."""

import asyncio

from pyscript import web, when

from pyapp.bridge.release import Kept, Release, stored_mb

SAID = {
    Kept.IMPOSSIBLE: "Not kept on this device: this browser allows that over https only.",
    Kept.ARRIVING: "Keeping Lookdown on this device, for use without a network",
    Kept.FAILED: "Not kept on this device: a part did not arrive. Reload to try again.",
}


class ReleasePanel:
    """A line that says what is kept on the device; a question where a newer release is."""

    def __init__(self):
        self._line = web.page["kept"]
        self._question = web.page["newer"]
        now, later = self._question.find("button")
        self._release = Release(self._show)
        when("click", now)(lambda _event: self._release.switch())
        when("click", later)(lambda _event: self._answered())

    async def keep(self) -> None:
        """Have the application kept; to be called once the page can be used."""
        await self._release.keep()

    def _answered(self) -> None:
        self._question.hidden = True

    def _show(self, kept: Kept) -> None:
        if kept is Kept.NEWER:
            self._question.hidden = False
        self._line.dataset.kept = kept.value
        if kept in SAID:
            self._line.textContent = SAID[kept]
        else:
            asyncio.ensure_future(self._say_size())  # noqa: RUF006

    async def _say_size(self) -> None:
        size = await stored_mb()
        stored = f" ({size:.0f} MB)" if size >= 1 else ""
        self._line.textContent = f"Kept on this device{stored}: works without a network"
