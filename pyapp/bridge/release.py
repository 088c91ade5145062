"""The copy of the application that a service worker keeps on the device (``site/sw.js``)."""

import enum
import json
from collections.abc import Callable
from typing import Any

import js
from pyodide.ffi import JsException
from pyscript.ffi import create_proxy, is_none, to_js

from pyapp.bridge import browser

WORKER = "sw.js"


class ReleaseState(enum.Enum):
    """How far a release is on its way to the device."""

    IMPOSSIBLE = "impossible"
    ARRIVING = "arriving"
    COMPLETE = "complete"
    NEWER = "newer"
    ELSEWHERE = "elsewhere"
    FAILED = "failed"
    NO_ROOM = "no room"


class Release:
    """The release that this page runs on, and the one that may follow it.

    Parameters
    ----------
    on_change : function
        Called with a `ReleaseState` whenever that changes.
    """

    def __init__(self, on_change: Callable[[ReleaseState], None]):
        self._on_change = on_change
        self._registration: Any = None  # until `keep` was answered
        self._switching = False
        self._no_room = False
        self._failed = False

    async def keep(self) -> None:
        """Have the application kept on the device, and look for a newer release."""
        workers = getattr(js.navigator, "serviceWorker", None)
        if workers is None:
            self._on_change(ReleaseState.IMPOSSIBLE)
            return
        # A page without a worker that gets its first one stays as it is; a page that runs on a
        # release goes on with the newer one completely.
        runs_on_one = not is_none(workers.controller)
        workers.addEventListener("message", create_proxy(self._hear))
        if runs_on_one:
            workers.addEventListener("controllerchange", create_proxy(self._changed_over))
        try:
            self._registration = await workers.register(WORKER, to_js({"updateViaCache": "none"}))
        except JsException:
            self._on_change(ReleaseState.COMPLETE if runs_on_one else ReleaseState.FAILED)
            return
        self._registration.addEventListener("updatefound", create_proxy(lambda _: self._watch()))
        if not is_none(self._registration.waiting):
            self._on_change(ReleaseState.NEWER)
        elif not is_none(self._registration.installing):
            self._watch()
        else:
            self._on_change(ReleaseState.COMPLETE)

    def _watch(self) -> None:
        worker = self._registration.installing
        first = is_none(self._registration.active)
        if first:
            self._on_change(ReleaseState.ARRIVING)

        def changed(_event) -> None:
            if worker.state == "installed" and not first:
                self._on_change(ReleaseState.NEWER)
            elif worker.state == "activated":
                self._on_change(ReleaseState.COMPLETE)
            elif worker.state == "redundant" and first:
                self._failed = True
                self._tell_failure()

        worker.addEventListener("statechange", create_proxy(changed))

    def _hear(self, event) -> None:
        """The worker says why a release could not be kept."""
        self._no_room = getattr(event.data, "failed", None) == "QuotaExceededError"
        # It may be heard before or after the worker's end is seen.
        if self._failed:
            self._tell_failure()

    def _tell_failure(self) -> None:
        self._on_change(ReleaseState.NO_ROOM if self._no_room else ReleaseState.FAILED)

    def _changed_over(self, _event) -> None:
        """Another release serves this tab from now on: asked for here, or in another tab."""
        if self._switching:
            js.location.reload()
        else:
            self._on_change(ReleaseState.ELSEWHERE)

    def switch(self) -> None:
        """Go on with the newer release: in every tab, from its first file on."""
        if is_none(self._registration.waiting):
            js.location.reload()
        else:
            self._switching = True
            self._registration.waiting.postMessage("switch")


async def stored_mb() -> tuple[float, float]:
    """Megabytes that the browser keeps for this page's origin, and that it has left; 0 unsaid."""
    try:
        estimate = await js.navigator.storage.estimate()
        return estimate.usage / 1e6, (estimate.quota - estimate.usage) / 1e6
    except (JsException, AttributeError):
        return 0.0, 0.0


async def kept_bytes() -> dict[str, int]:
    """Bytes of the kept files (as they are, not as the browser stores them) for each part."""
    sizes: dict[str, int] = {}
    try:
        for name in await _caches():
            cache = await js.caches.open(name)
            listing = await cache.match("files.json")
            if is_none(listing):
                continue
            kept = {request.url for request in await cache.keys()}
            for path, facts in json.loads(await listing.text()).items():
                if browser.absolute(path) in kept:
                    sizes[facts["part"]] = sizes.get(facts["part"], 0) + facts["size"]
    except (JsException, AttributeError):
        return {}
    return sizes


async def is_kept(path: str) -> bool:
    """Whether a file of the page is kept on the device."""
    try:
        for name in await _caches():
            cache = await js.caches.open(name)
            if not is_none(await cache.match(path)):
                return True
    except (JsException, AttributeError):
        pass
    return False


async def keep_used(path: str) -> None:
    """Have a file kept that was fetched before the application was.

    The worker keeps what passes through it, so it is asked for once more; the browser has it still.
    """
    workers = getattr(js.navigator, "serviceWorker", None)
    if workers is None or is_none(workers.controller) or await is_kept(path):
        return
    try:
        await (await js.fetch(path)).arrayBuffer()
    except JsException:
        return  # it works with a network, and is asked for again when it is used again


async def _caches() -> list[str]:
    """The names of this page's caches: another page of the same origin may have its own."""
    return [name for name in await js.caches.keys() if name.startswith(cache_name(""))]


def cache_name(name: str) -> str:
    """How ``sw.js`` calls the cache of a release, or the one for shared pictures."""
    return f"lookdown {browser.home()} {name}"


async def is_persistent() -> bool:
    """Whether the browser has promised to keep what is stored."""
    try:
        return bool(await js.navigator.storage.persisted())
    except (JsException, AttributeError):
        return False


async def persist() -> bool:
    """Ask the browser to keep what is stored for good; whether it promised."""
    try:
        return bool(await js.navigator.storage.persist())
    except (JsException, AttributeError):
        return False


async def remove() -> None:
    """Take everything of this page off the device; the open page goes on."""
    try:
        registration = await js.navigator.serviceWorker.getRegistration()
        if not is_none(registration):
            await registration.unregister()
        for name in await _caches():
            await js.caches.delete(name)
    except (JsException, AttributeError):
        return
