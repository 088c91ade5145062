"""Keys that work anywhere on the page, except while typing; and the list of them."""

from collections.abc import Callable
from typing import NamedTuple

from pyscript import web

from pyapp.bridge import browser
from pyapp.ui.shell.dom import fill, on

# What Enter already means something to.
_TAKES_ENTER = "button, a, summary"


class Key(NamedTuple):
    """A key, what it does as the list says it, and the doing.

    One that has nothing to say is not listed; ``shown`` is what the list calls several keys.
    """

    key: str
    what: str
    do: Callable[[], object]
    shown: str = ""


class Keys:
    """What each key does; each is bound once.

    Parameters
    ----------
    keys : list of Key
        A letter counts with and without Shift.
    """

    def __init__(self, keys: list[Key]):
        self._keys: dict[str, Key] = {}
        self._only: Callable[[str], bool] | None = None
        self._dialog = web.page["keys"]
        self._list = web.page["key-list"]
        on("click", web.page["show-keys"], self.show)
        self.add([*keys, Key("?", "This list", self.show)])
        browser.on_window("keydown", self._on_key)

    def add(self, keys: list[Key]) -> None:
        """Bind more keys."""
        for key in keys:
            name = key.key.lower()
            assert name not in self._keys, f"{key.key} is bound twice"
            self._keys[name] = key

    def give_to(self, only: Callable[[str], bool] | None) -> None:
        """Give all keys to something else, until it is ``None``.

        Parameters
        ----------
        only : callable taking str, or None
            Says whether the key meant something.
        """
        self._only = only

    def show(self) -> None:
        """List all keys."""
        rows = []
        for key in sorted(self._keys.values(), key=lambda each: (len(each.key) == 1, each.key)):
            if key.what:
                rows += [web.dt(web.kbd(key.shown or key.key)), web.dd(key.what)]
        rows += [web.dt(web.kbd("Arrows")), web.dd("Move the square, with Shift by its side")]
        fill(self._list, rows)
        if not self._dialog.open:
            self._dialog.showModal()

    def _on_key(self, event) -> None:
        if event.defaultPrevented or event.ctrlKey or event.altKey or event.metaKey:
            return
        name = {"Escape": "esc"}.get(event.key, event.key.lower())
        if self._only is not None:
            if self._only(name):
                event.preventDefault()
            return
        if name != "esc" and browser.is_typing(event):
            return
        if name == "enter" and browser.is_inside(event, _TAKES_ENTER):
            return
        if name in self._keys:
            self._keys[name].do()
