"""The copy of the application that a service worker keeps on the device (``site/sw.js``)."""

import enum
from collections.abc import Callable

import js
from pyodide.ffi import JsException
from pyscript.ffi import create_proxy, is_none, to_js

WORKER = "sw.js"


class Kept(enum.Enum):
    """How far a release is on its way to the device."""

    IMPOSSIBLE = "impossible"
    ARRIVING = "arriving"
    WHOLE = "whole"
    NEWER = "newer"
    FAILED = "failed"


class Release:
    """The release that this page runs on, and the one that may follow it.

    Parameters
    ----------
    on_change : function
        Called with a `Kept` whenever that changes.
    """

    def __init__(self, on_change: Callable[[Kept], None]):
        self._on_change = on_change
        self._registration = None

    async def keep(self) -> None:
        """Have the application kept on the device, and look for a newer release."""
        workers = getattr(js.navigator, "serviceWorker", None)
        if workers is None:
            self._on_change(Kept.IMPOSSIBLE)
            return
        # A page without a worker that gets its first one stays as it is; a page that runs on a
        # release goes on with the newer one as a whole.
        runs_on_one = not is_none(workers.controller)
        try:
            self._registration = await workers.register(WORKER, to_js({"updateViaCache": "none"}))
        except JsException:
            self._on_change(Kept.WHOLE if runs_on_one else Kept.FAILED)
            return
        self._registration.addEventListener("updatefound", create_proxy(lambda _: self._watch()))
        if not is_none(self._registration.waiting):
            self._on_change(Kept.NEWER)
        elif not is_none(self._registration.installing):
            self._watch()
        else:
            self._on_change(Kept.WHOLE)

    def _watch(self) -> None:
        worker = self._registration.installing
        first = is_none(self._registration.active)
        if first:
            self._on_change(Kept.ARRIVING)

        def changed(_event) -> None:
            if worker.state == "installed" and not first:
                self._on_change(Kept.NEWER)
            elif worker.state == "activated":
                self._on_change(Kept.WHOLE)
            elif worker.state == "redundant" and first:
                self._on_change(Kept.FAILED)

        worker.addEventListener("statechange", create_proxy(changed))

    def switch(self) -> None:
        """Go on with the newer release: in every tab, from its first file on."""
        reload = create_proxy(lambda _event: js.location.reload())
        js.navigator.serviceWorker.addEventListener("controllerchange", reload)
        self._registration.waiting.postMessage("switch")


async def stored_mb() -> float:
    """Megabytes that the browser keeps for this page's origin; 0 where it doesn't say."""
    try:
        return (await js.navigator.storage.estimate()).usage / 1e6
    except (JsException, AttributeError):
        return 0.0
