"""What a SQLite database says about its tables and indexes: the SQL that made them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"""--[^\n]*|/\*.*?\*/|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|'(?:[^']|'')*'|\w+|[^\s\w]""",
    re.DOTALL,
)
_CONSTRAINTS = {"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"}
Tokens = list[str]


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes
    ----------
    name : str
    root : int
        Page that its tree begins at.
    columns : tuple of str
        In the order of its records.
    alias : str or None
        Column that is the rowid, and empty in the records.
    key : tuple of str
        Columns that a tree without rowids is sorted by; empty for one with rowids.
    unique : tuple of tuple of str
        Columns of the indexes that SQLite makes for it, in the order of their numbers.
    """

    name: str
    root: int
    columns: tuple[str, ...]
    alias: str | None = None
    key: tuple[str, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Index:
    """An index: its records are these columns of the table, then the rowid."""

    table: str
    root: int
    columns: tuple[str, ...]


@dataclass
class Schema:
    """Tables and usable indexes by lower-case names, and the SQL of views."""

    tables: dict[str, Table] = field(default_factory=dict)
    indexes: list[Index] = field(default_factory=list)
    views: dict[str, str] = field(default_factory=dict)

    def index(self, table: Table, columns: tuple[str, ...]) -> Index | None:
        """An index of a table that begins with these columns."""
        for each in self.indexes:
            if each.table == table.name and each.columns[: len(columns)] == columns:
                return each
        return None


def schema_from(rows: list[tuple[str, str, str, int, str]]) -> Schema:
    """Read the schema.

    Parameters
    ----------
    rows : list of (type, name, table, root, SQL)
        Of ``sqlite_schema``; what can't be understood is left out.
    """
    found = Schema()
    for kind, name, _, root, sql in rows:
        if kind == "table":
            table = _table(name.lower(), root, sql)
            if table is not None:
                found.tables[table.name] = table
        elif kind == "view":
            found.views[name.lower()] = sql
    for kind, name, of, root, sql in rows:
        owner = found.tables.get(of.lower())
        if kind == "index" and owner is not None:
            columns = _index_columns(sql) if sql else _automatic(owner, name)
            if columns:
                found.indexes.append(Index(owner.name, root, columns))
    return found


def _table(name: str, root: int, sql: str) -> Table | None:
    parts, rest = _parts(_tokens(sql))
    columns: list[str] = []
    primary: tuple[str, ...] = ()
    unique: list[tuple[str, ...]] = []
    types: dict[str, str] = {}
    for part in parts:
        upper = [each.upper() for each in part]
        if upper[0] in _CONSTRAINTS:
            said = _listed(part)
        else:
            said = (_plain(part[0]),)
            columns.append(said[0])
            types[said[0]] = upper[1] if len(upper) > 1 else ""
        if "PRIMARY" in upper:
            primary = said
        if ("PRIMARY" in upper or "UNIQUE" in upper) and said not in unique:
            unique.append(said)
    if not columns:
        return None
    if [each.upper() for each in rest[:2]] == ["WITHOUT", "ROWID"]:
        ordered = (*primary, *(each for each in columns if each not in primary))
        others = tuple(each for each in unique if each != primary)
        return Table(name, root, ordered, key=primary, unique=others)
    alias = primary[0] if len(primary) == 1 and types.get(primary[0]) == "INTEGER" else None
    indexed = tuple(each for each in unique if each != (alias,))
    return Table(name, root, tuple(columns), alias, unique=indexed)


def _automatic(table: Table, name: str) -> tuple[str, ...]:
    """Columns of an index that SQLite made for a constraint; empty if it isn't clear."""
    number = name.rpartition("_")[2]
    if not number.isdecimal() or not 0 < int(number) <= len(table.unique):
        return ()
    return table.unique[int(number) - 1]


def _index_columns(sql: str) -> tuple[str, ...]:
    """Columns of an index; empty if it doesn't hold all rows, or not in the usual order."""
    tokens = _tokens(sql)
    _, rest = _parts(tokens)
    return () if rest else _listed(tokens)


def _listed(tokens: Tokens) -> tuple[str, ...]:
    """Names between brackets; empty if one is an expression, or sorted in another way."""
    parts, _ = _parts(tokens)
    for part in parts:
        if len(part) > 2 or (len(part) == 2 and part[1].upper() != "ASC"):
            return ()
    return tuple(_plain(part[0]) for part in parts)


def _parts(tokens: Tokens) -> tuple[list[Tokens], Tokens]:
    """What stands between the first brackets, parted by commas, and what follows them."""
    parts: list[Tokens] = [[]]
    depth = 0
    for at, token in enumerate(tokens):
        if token == ")":
            depth -= 1
            if depth == 0:
                return [each for each in parts if each], tokens[at + 1 :]
        if token == "," and depth == 1:
            parts.append([])
        elif depth:
            parts[-1].append(token)
        if token == "(":
            depth += 1
    return [], []


def _tokens(sql: str) -> Tokens:
    return [each for each in _TOKEN.findall(sql) if not each.startswith(("--", "/*"))]


def _plain(token: str) -> str:
    """A name without its quotes, in lower case: SQL doesn't tell them apart."""
    return token.strip("\"`[]'").lower()
