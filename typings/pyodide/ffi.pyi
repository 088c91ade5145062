from collections.abc import Callable
from typing import Any

class JsProxy:
    # Any attribute may be there: JavaScript decides.
    def __getattr__(self, name: str) -> Any: ...
    def destroy(self) -> None: ...
    def to_py(self) -> Any: ...

class JsException(Exception):
    name: str
    message: str

def create_once_callable(function: Callable[..., object]) -> JsProxy: ...
