"""Whether the application is kept on the device, and what to do when there is a newer one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pyscript import web

from pyapp.bridge.release import Release, ReleaseState, stored_mb
from pyapp.ui.shell.dom import on
from pyapp.work.busy import Busy
from pyapp.work.session import Session
from pyapp.work.tasks import Tasks

SAID = {
    ReleaseState.IMPOSSIBLE: "Not kept on this device: this browser allows that over https only.",
    ReleaseState.ARRIVING: "Keeping Lookdown on this device, for use without a network",
    ReleaseState.FAILED: "Not kept on this device: a part did not arrive. Reload to try again.",
    ReleaseState.NO_ROOM: "Not kept on this device: there is no room. Free some and reload; "
    "until then the page works with a network.",
}
ASKED = {
    ReleaseState.NEWER: ("A newer Lookdown is on this device.", "Use it now"),
    ReleaseState.ELSEWHERE: ("Lookdown was updated in another tab.", "Reload this one"),
}


@dataclass
class ReleasePanel:
    """A line that says what is kept on the device, and a question if there is a newer release."""

    tasks: Tasks
    busy: Busy
    sessions: tuple[Session[Any], ...]

    def __post_init__(self):
        self._line = web.page["kept"]
        self._question = web.page["newer"]
        self._now, later = self._question.find("button")
        self._release = Release(self._show)
        self._on_complete: list[Callable[[], object]] = []
        on("click", self._now, lambda: self.tasks.start(self._switch()))
        on("click", later, self._answered)

    def on_complete(self, handler: Callable[[], object]) -> None:
        """Call ``handler()`` once a release is kept."""
        self._on_complete.append(handler)

    async def keep(self) -> None:
        """Have the application kept; to be called once the page can be used."""
        await self._release.keep()

    async def _switch(self) -> None:
        self._now.disabled = True
        # A survey goes on where it was after the reload; an answer on its way is waited for.
        for each in self.sessions:
            await each.pause()
        await self.busy.until_idle()
        self._release.switch()

    def _answered(self) -> None:
        self._question.hidden = True

    def _show(self, state: ReleaseState) -> None:
        if state in ASKED:
            text, offer = ASKED[state]
            self._question.find("p")[0].textContent = text
            self._now.textContent = offer
            self._question.hidden = False
        self._line.dataset.kept = state.value
        if state in SAID:
            self._line.textContent = SAID[state]
        else:
            self.tasks.start(self._say_size())
        if state == ReleaseState.COMPLETE:
            for handler in self._on_complete:
                handler()

    async def _say_size(self) -> None:
        size, _free = await stored_mb()
        stored = f" ({size:.0f} MB)" if size >= 1 else ""
        self._line.textContent = f"Kept on this device{stored}: works without a network"
