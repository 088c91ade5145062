"""The settings of a run, read from one TOML file."""

import copy
import json
import sys
from pathlib import Path
from types import SimpleNamespace

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from training.errors import TrainingError
from training.files import write_text

DEFAULT = Path(__file__).with_name("settings.toml")
COPY = "settings.toml"


def read(path: Path = DEFAULT) -> SimpleNamespace:
    """The settings in a TOML file, its tables as attributes."""
    return _as_namespace(tomllib.loads(path.read_text(encoding="utf-8")))


def changed(settings: SimpleNamespace, **values) -> SimpleNamespace:
    """A copy of settings with some values replaced; a dictionary replaces inside a table."""
    new = copy.deepcopy(settings)
    for name, value in values.items():
        if isinstance(value, dict):
            vars(getattr(new, name)).update(value)
        else:
            setattr(new, name, value)
    return new


def _as_namespace(value):
    if isinstance(value, dict):
        return SimpleNamespace(**{key: _as_namespace(each) for key, each in value.items()})
    return value


def choose(options) -> SimpleNamespace:
    """The settings that a command line asks for.

    Raises
    ------
    TrainingError
        Where the file can't be read.
    """
    try:
        settings = read(options.settings)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise TrainingError(f"The settings {options.settings} cannot be read: {error}.") from error
    if options.name:
        settings.name = options.name
        settings.title = options.name
    if options.backbone:
        settings.backbone = options.backbone
    if options.seeds:
        settings.seeds = options.seeds
    if options.epochs:
        settings.train.epochs = options.epochs
        settings.pupil.epochs = min(settings.pupil.epochs, options.epochs)
    return settings


def write(settings: SimpleNamespace, run: Path) -> None:
    """Write the settings of a run beside its result, so that it can be run again."""
    plain = {name: value for name, value in vars(settings).items() if not _is_table(value)}
    tables = {name: vars(value) for name, value in vars(settings).items() if _is_table(value)}
    lines = [_line(*each) for each in plain.items()]
    for name, table in tables.items():
        lines += ["", f"[{name}]", *(_line(*each) for each in table.items())]
    write_text(run / COPY, "\n".join(lines) + "\n")


def _is_table(value) -> bool:
    return isinstance(value, SimpleNamespace)


def _line(name: str, value) -> str:
    """A line of TOML; its numbers, strings and lists of them are written as JSON's."""
    return f"{name} = {json.dumps(value, ensure_ascii=False)}"
