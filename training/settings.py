"""The settings of a run, read from one TOML file."""

import sys
from pathlib import Path
from types import SimpleNamespace

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

DEFAULT = Path(__file__).with_name("settings.toml")
COPY = "settings.toml"


def read(path: Path = DEFAULT) -> SimpleNamespace:
    """The settings in a TOML file, its tables as attributes."""
    return _as_namespace(tomllib.loads(path.read_text(encoding="utf-8")))


def _as_namespace(value):
    if isinstance(value, dict):
        return SimpleNamespace(**{key: _as_namespace(each) for key, each in value.items()})
    return value
