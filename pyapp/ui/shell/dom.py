"""Small ways of working with elements of the page."""

from collections.abc import Callable, Iterable
from typing import Any

from pyscript import web, when

from pyapp.bridge import browser


def on(event: str, element: Any, do: Callable[[], object]) -> None:
    """Call ``do()`` for an event of an element that stays on the page."""
    when(event, element)(lambda _event: do())


def on_any(event: str, container: Any, selector: str, do: Callable[[Any], object]) -> None:
    """Call ``do(element)`` for an event of any element inside a container that a selector finds.

    The container is listened to once, so its contents may be replaced as often as wanted.
    """

    def handle(raised) -> None:
        found = browser.closest(raised, selector)
        if found is not None:
            do(found)

    when(event, container)(handle)


def fill(container: Any, elements: Iterable[Any]) -> None:
    """Put elements into a container, in place of what was there."""
    container.replaceChildren(*(each._dom_element for each in elements))


def toggle(details: Any) -> None:
    """Open or close a panel; opened, it has the focus."""
    details.open = not details.open
    if details.open:
        details.find("summary")[0].focus()


def option(text: str, value: str, selected: bool = False) -> Any:
    """An entry of a list to choose from."""
    return worded(web.option(value=value, selected=selected), text)


def worded(element: Any, text: str) -> Any:
    """An element with a text that may come from a file or from a person.

    PyScript takes a text that is given to an element as HTML.
    """
    element.textContent = text
    return element
