"""Keys that work anywhere on the page, except while typing."""

from pyapp.bridge import browser
from pyapp.ui.classify import Classify
from pyapp.ui.imagery import ImageryPanel
from pyapp.ui.notice import Notice
from pyapp.ui.square import Square

# What Enter already means something to.
_TAKES_ENTER = "button, a, summary"


def bind_keys(classify: Classify, square: Square, imagery: ImageryPanel, notice: Notice) -> None:
    """Enter classifies, Esc cancels, C brings the square here, F follows, I opens the imagery."""

    def on_key(event):
        if event.defaultPrevented or event.ctrlKey or event.altKey or event.metaKey:
            return
        if event.key == "Escape":
            classify.cancel()
            notice.clear()
            imagery.close()
        elif browser.is_typing(event):
            return
        elif event.key == "Enter" and not browser.is_inside(event, _TAKES_ENTER):
            classify.press()
        elif event.key in ("c", "C"):
            square.bring_here()
        elif event.key in ("f", "F"):
            square.toggle_follow()
        elif event.key in ("i", "I"):
            imagery.toggle()

    browser.on_window("keydown", on_key)
