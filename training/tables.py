"""Frozen dataclasses from TOML, which refuse what is unknown, missing or of the wrong type."""

import dataclasses
import json
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

Table = TypeVar("Table")


# The types of a table are known only while the program runs, hence Any.
def from_table(kind: type[Table], facts: dict[str, Any], where: str) -> Table:
    """A dataclass from a TOML table with exactly its fields.

    Parameters
    ----------
    kind : type
        The dataclass; a field with a default may be missing.
    facts : dict
        The table.
    where : str
        What to call the table in an error.

    Raises
    ------
    ValueError
        If a field is missing, unknown or of the wrong type; the message can follow a colon.
    """
    hints = get_type_hints(kind)
    optional = {
        each.name
        for each in dataclasses.fields(kind)  # type: ignore[arg-type]
        if (each.default, each.default_factory) != (dataclasses.MISSING, dataclasses.MISSING)
    }
    unknown, missing = sorted(facts.keys() - hints), sorted(hints.keys() - facts - optional)
    if unknown:
        raise ValueError(f"{where} has no setting {', '.join(unknown)}")
    if missing:
        raise ValueError(f"{where} lacks {', '.join(missing)}")
    return kind(**{name: _value(hints[name], facts[name], name) for name in hints if name in facts})


def _value(kind: Any, value: Any, name: str) -> Any:
    """A TOML value as the type of its field: arrays become tuples, whole numbers floats."""
    if isinstance(kind, type) and dataclasses.is_dataclass(kind) and isinstance(value, dict):
        return from_table(kind, value, f"[{name}]")
    if get_origin(kind) is dict and isinstance(value, dict):
        return {key: _value(get_args(kind)[1], each, key) for key, each in value.items()}
    if get_origin(kind) is tuple and isinstance(value, list):
        kinds = get_args(kind)
        if kinds[-1] is Ellipsis:
            kinds = kinds[:1] * len(value)
        if len(kinds) == len(value):
            return tuple(_value(*each, name) for each in zip(kinds, value, strict=True))
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise ValueError(f"{name} = {json.dumps(value, default=str)} is not of the right type")
    return value
