"""Opens the page."""

from pyapp.ui.page import open_page

await open_page()  # noqa: F704  (PyScript runs this in a coroutine)
