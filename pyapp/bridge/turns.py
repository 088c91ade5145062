"""What asyncio wants to run soon, run together: the browser is asked for a turn once for all of it.

Pyodide asks the browser for a turn for each callback: in a survey, 75 for each square. A native
event loop does what this does.
"""

import asyncio
import contextvars
from collections import deque
from collections.abc import Callable
from typing import Any

# The browser may do something else after so many seconds.
TURN_S = 0.004


class Turns:
    """Takes the place of an event loop's ``call_soon``.

    Callbacks run in the order in which they were asked for, those that are asked for meanwhile in
    the same turn, until it has taken `TURN_S`. So ``asyncio.sleep(0)`` is a pause for the browser
    after that time only.

    Parameters
    ----------
    loop : asyncio.AbstractEventLoop
    """

    def __init__(self, loop: asyncio.AbstractEventLoop):
        self._loop = loop
        self._ask = loop.call_soon
        self._ready: deque[asyncio.Handle] = deque()
        self._asked = False

    def take(self) -> None:
        """From now on."""
        self._loop.call_soon = self.call_soon  # type: ignore[assignment, method-assign]

    def call_soon(
        self,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        """Run ``callback(*args)`` in the next turn, or in this one if it still has time."""
        handle = asyncio.Handle(callback, args, self._loop, context)
        self._ready.append(handle)
        self._ask_for_turn()
        return handle

    def _ask_for_turn(self) -> None:
        if self._ready and not self._asked:
            self._asked = True
            self._ask(self._turn)

    def _turn(self) -> None:
        until = self._loop.time() + TURN_S
        try:
            while self._ready:
                handle = self._ready.popleft()
                if not handle.cancelled():
                    handle._run()
                if self._loop.time() > until:
                    break
        finally:
            self._asked = False
            self._ask_for_turn()
