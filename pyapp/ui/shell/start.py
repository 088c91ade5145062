"""The start screen, which stands until the page can be used."""

from pyscript import web


def close_start_screen() -> None:
    """Take the start screen away: map and square can be used."""
    web.page["start"].remove()
