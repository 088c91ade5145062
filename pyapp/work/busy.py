"""Whether anything is under way: one answer for all who must not disturb it."""

from collections.abc import Iterator
from contextlib import contextmanager

from pyapp.work.ports import Clock

LOOK_S = 0.25
# The name of a survey at work, which can be paused.
SURVEY = "survey"


class Busy:
    """What is under way now.

    Parameters
    ----------
    clock : Clock
    """

    def __init__(self, clock: Clock):
        self._clock = clock
        self._doing: list[str] = []

    def __bool__(self) -> bool:
        return bool(self._doing)

    def is_doing(self, what: str) -> bool:
        """Whether something of this name is under way."""
        return what in self._doing

    @contextmanager
    def doing(self, what: str) -> Iterator[None]:
        """While this lasts, something is under way."""
        self._doing.append(what)
        try:
            yield
        finally:
            self._doing.remove(what)

    async def until_idle(self, seconds: float = 0.0) -> None:
        """Wait until nothing has been under way for so long."""
        idle_s = 0.0
        while self or idle_s < seconds:
            await self._clock.sleep(LOOK_S)
            idle_s = 0.0 if self else idle_s + LOOK_S
