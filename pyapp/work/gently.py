"""Beginning the rest of the page a little at a time, so that nobody waits for it."""

import asyncio
import importlib
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from pyapp.work.ports import Clock

# The page may do something else after so many milliseconds of work.
SLICE_MS = 8.0


class Pauses:
    """Work on the page's own thread, with pauses in which the page does something else.

    Parameters
    ----------
    clock : Clock
    """

    def __init__(self, clock: Clock):
        self._clock = clock
        self._begun_ms = clock.now_ms()

    async def pause(self) -> None:
        """Let the page do something else, if it has waited for long enough."""
        if self._clock.now_ms() - self._begun_ms > SLICE_MS:
            await asyncio.sleep(0)
            self._begun_ms = self._clock.now_ms()


def modules_below(package: Path, parts: Sequence[str]) -> list[str]:
    """Names of the modules in some parts of a package that are not imported yet.

    Parameters
    ----------
    package : Path
        The folder of a package.
    parts : sequence of str
        Its parts, those first that the others import.
    """
    files = [file for part in parts for file in sorted((package / part).rglob("*.py*"))]
    names = [".".join(file.relative_to(package.parent).with_suffix("").parts) for file in files]
    return [each for each in names if each not in sys.modules and not each.endswith(".__init__")]


async def import_all(names: Iterable[str], pauses: Pauses) -> None:
    """Import modules, with a pause after each.

    Afterwards, an import of all of them together takes no time.
    """
    for each in names:
        importlib.import_module(each)
        await pauses.pause()
