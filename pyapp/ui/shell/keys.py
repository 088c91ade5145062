"""Keys that work anywhere on the page, except while typing; and the list of them."""

from collections.abc import Callable
from typing import NamedTuple

from pyscript import web, when

from pyapp.bridge import browser

# What Enter already means something to.
_TAKES_ENTER = "button, a, summary"


class Key(NamedTuple):
    """A key, what it does as the list says it, and the doing."""

    key: str
    what: str
    do: Callable[[], None]


class Keys:
    """What each key does; more can be added later."""

    def __init__(self):
        self._keys: dict[str, Key] = {}
        self._dialog = web.page["keys"]
        self._list = web.page["key-list"]
        when("click", web.page["show-keys"])(lambda _event: self.show())
        self.add([Key("?", "This list", self.show)])
        browser.on_window("keydown", self._on_key)

    def add(self, keys: list[Key]) -> None:
        """Bind keys; a letter counts with and without Shift."""
        self._keys = {key.key.lower(): key for key in keys} | {
            name: key for name, key in self._keys.items()
            if name not in {each.key.lower() for each in keys}
        }  # fmt: skip

    def show(self) -> None:
        """List all keys."""
        rows = []
        for key in sorted(self._keys.values(), key=lambda each: (len(each.key) == 1, each.key)):
            rows += [web.dt(web.kbd(key.key)), web.dd(key.what)]
        rows += [web.dt(web.kbd("Arrows")), web.dd("Move the square, with Shift by its side")]
        self._list.replaceChildren(*(row._dom_element for row in rows))
        if not self._dialog.open:
            self._dialog.showModal()

    def _on_key(self, event) -> None:
        if event.defaultPrevented or event.ctrlKey or event.altKey or event.metaKey:
            return
        name = {"Escape": "esc"}.get(event.key, event.key.lower())
        if name != "esc" and browser.is_typing(event):
            return
        if name == "enter" and browser.is_inside(event, _TAKES_ENTER):
            return
        if name in self._keys:
            self._keys[name].do()
