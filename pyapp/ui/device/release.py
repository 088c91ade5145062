"""Whether the application is kept on the device, and what to do when there's a newer one."""

import asyncio

from pyscript import web, when

from pyapp.bridge.release import Kept, Release, stored_mb
from pyapp.ui.answer.classify import Classify

SAID = {
    Kept.IMPOSSIBLE: "Not kept on this device: this browser allows that over https only.",
    Kept.ARRIVING: "Keeping Lookdown on this device, for use without a network",
    Kept.FAILED: "Not kept on this device: a part did not arrive. Reload to try again.",
    Kept.NO_ROOM: "Not kept on this device: there is no room. Free some and reload; "
    "until then the page works with a network.",
}
ASKED = {
    Kept.NEWER: ("A newer Lookdown is on this device.", "Use it now"),
    Kept.ELSEWHERE: ("Lookdown was renewed in another tab.", "Reload this one"),
}


class ReleasePanel:
    """A line that says what is kept on the device; a question where a newer release is."""

    def __init__(self, classify: Classify):
        self._classify = classify
        self._line = web.page["kept"]
        self._question = web.page["newer"]
        self._now, later = self._question.find("button")
        self._release = Release(self._show)
        when("click", self._now)(self._switch)
        when("click", later)(lambda _event: self._answered())

    async def keep(self) -> None:
        """Have the application kept; to be called once the page can be used."""
        await self._release.keep()

    async def _switch(self, _event) -> None:
        self._now.disabled = True
        # An answer that is on its way is not thrown away.
        await self._classify.finish()
        self._release.switch()

    def _answered(self) -> None:
        self._question.hidden = True

    def _show(self, kept: Kept) -> None:
        if kept in ASKED:
            text, offer = ASKED[kept]
            self._question.find("p")[0].textContent = text
            self._now.textContent = offer
            self._question.hidden = False
        self._line.dataset.kept = kept.value
        if kept in SAID:
            self._line.textContent = SAID[kept]
        else:
            asyncio.ensure_future(self._say_size())  # noqa: RUF006

    async def _say_size(self) -> None:
        size, _free = await stored_mb()
        stored = f" ({size:.0f} MB)" if size >= 1 else ""
        self._line.textContent = f"Kept on this device{stored}: works without a network"
