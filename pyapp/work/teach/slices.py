"""Long computations on the page's own thread, in slices."""

import asyncio
from typing import TypeVar

from pyapp.core.teach.steps import Steps
from pyapp.work.ports import Clock

T = TypeVar("T")
# The page may do something else after so many milliseconds of work.
SLICE_MS = 12.0


async def in_slices(steps: Steps[T], clock: Clock) -> T:
    """Do all steps, and let the page do something else in between; what they come to."""
    begun_ms = clock.now_ms()
    while True:
        try:
            next(steps)
        except StopIteration as ended:
            result: T = ended.value
            return result
        if clock.now_ms() - begun_ms > SLICE_MS:
            await asyncio.sleep(0)
            begun_ms = clock.now_ms()
