from collections.abc import Callable
from typing import Any, TypeVar

from pyscript import web as web

_Handler = TypeVar("_Handler", bound=Callable[..., object])

def when(event: str, selector: str | web.Element | Any) -> Callable[[_Handler], _Handler]: ...
