"""Long computations in short steps, so that a page stays responsive while they go on."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

T = TypeVar("T")
# A computation that pauses between its steps and returns a T.
Steps = Generator[None, None, T]


def finished(steps: Steps[T]) -> T:
    """Do all steps at once; what they come to.

    >>> def half(of):
    ...     yield
    ...     return of / 2
    >>> finished(half(3))
    1.5
    """
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: T = end.value
            return result
