"""Plots that a person wants classified one by one: the rows of a file, and where each lies."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pyapp.core.ground.geo import MAX_LATITUDE, LngLat
from pyapp.core.imagery.source import Source
from pyapp.core.plots.errors import ManyPlotsError, PlotFileError

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_PLOTS = 20_000
MOST_COLUMNS = 500


@dataclass(frozen=True)
class Plots:
    """R rows of a file, most of which have a place.

    Attributes
    ----------
    name : str
        Of the file.
    columns : tuple of str
    rows : tuple of tuple
        A value for each column: texts of a table, anything that JSON has of GeoJSON.
    lng, lat : ndarray of float64, shape (R,)
        Middle of each plot, in degrees; NaN if a row has no place.
    geometries : tuple of (dict or None)
        GeoJSON of each plot, if the file has more than points; else empty.
    ids : tuple
        Of GeoJSON features, ``None`` where there is none; else empty.
    delimiter, decimal : str
        How a table separates fields, and the decimals of a number.
    bom : bool
        Whether a table is written with a byte order mark.
    swapped : bool
        Whether longitude and latitude were exchanged since it was read.
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    lng: NDArray[np.float64]
    lat: NDArray[np.float64]
    geometries: tuple[dict[str, Any] | None, ...] = ()
    ids: tuple[Any, ...] = ()
    delimiter: str = ","
    decimal: str = "."
    bom: bool = False
    swapped: bool = False

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def placed(self) -> NDArray[np.int64]:
        """Numbers of the rows that have a place on a web map, shape (n,)."""
        with np.errstate(invalid="ignore"):
            return np.flatnonzero((np.abs(self.lat) < MAX_LATITUDE) & (np.abs(self.lng) <= 360))

    def check(self) -> Plots:
        """The same plots, if there are some and not too many.

        Raises
        ------
        PlotFileError, ManyPlotsError
        """
        if len(self) > MOST_PLOTS:
            raise ManyPlotsError(len(self), MOST_PLOTS)
        if not len(self):
            raise PlotFileError("it has no rows")
        if len(self.columns) > MOST_COLUMNS:
            raise PlotFileError(f"it has {len(self.columns):,} columns")
        if not len(self.placed) and not len(self.exchanged().placed):
            numbers = np.isfinite(self.lng) & np.isfinite(self.lat)
            raise PlotFileError(
                "its coordinates are not degrees of longitude and latitude" if numbers.any()
                else "no row has coordinates that can be read"
            )  # fmt: skip
        return self

    def exchanged(self) -> Plots:
        """The same plots with longitude and latitude exchanged."""
        geometries = tuple(
            each and {**each, "coordinates": _exchanged(each["coordinates"])}
            for each in self.geometries
        )
        return replace(
            self, lng=self.lat, lat=self.lng, geometries=geometries, swapped=not self.swapped
        )

    def seem_swapped(self, source: Source) -> bool:
        """Whether longitude and latitude seem to be exchanged.

        They are if some latitude is past the edge of a web map but all are right the other way
        round, or if no plot lies in the imagery but most would.
        """
        lng, lat = (each[np.isfinite(each)] for each in (self.lng, self.lat))
        if (np.abs(lat) > MAX_LATITUDE).any():
            return bool((np.abs(lng) < MAX_LATITUDE).all() and (np.abs(lat) <= 360).all())
        other = self.exchanged()
        if not source.bounds and not source.coverage:
            return False
        return self._covered(source) == 0 and 2 * other._covered(source) > len(other.placed)

    def _covered(self, source: Source) -> int:
        """Number of plots that a source has imagery of."""
        return sum(
            source.covers(LngLat(float(self.lng[each]), float(self.lat[each])))
            for each in self.placed
        )

    def to_json(self) -> str:
        """What `from_json` reads."""
        facts = vars(self) | {"lng": _listed(self.lng), "lat": _listed(self.lat)}
        return json.dumps(facts)

    @classmethod
    def from_json(cls, text: str) -> Plots:
        """Check and take what `to_json` gave.

        Raises
        ------
        ValueError, KeyError, TypeError, PlotError
            If it is something else.
        """
        facts: Mapping[str, Any] = json.loads(text)
        plots = cls(
            name=str(facts["name"]),
            columns=tuple(map(str, facts["columns"])),
            rows=tuple(map(tuple, facts["rows"])),
            lng=_numbers(facts["lng"]),
            lat=_numbers(facts["lat"]),
            geometries=tuple(facts["geometries"]),
            ids=tuple(facts["ids"]),
            delimiter=str(facts["delimiter"]),
            decimal=str(facts["decimal"]),
            bom=bool(facts["bom"]),
            swapped=bool(facts["swapped"]),
        )
        count = len(plots.rows)
        sizes = {len(plots.lng), len(plots.lat), len(plots.geometries) or count,
                 len(plots.ids) or count}  # fmt: skip
        if sizes != {count} or {len(each) for each in plots.rows} != {len(plots.columns)}:
            raise ValueError("the parts of the plots do not fit each other")
        return plots.check()


def _listed(values: NDArray[np.float64]) -> list[float | None]:
    return [each if np.isfinite(each) else None for each in values.tolist()]


def _numbers(values: list[float | None]) -> NDArray[np.float64]:
    return np.array([np.nan if each is None else each for each in values], np.float64)


def _exchanged(coordinates: Any) -> Any:
    if coordinates and not isinstance(coordinates[0], list):
        return [coordinates[1], coordinates[0], *coordinates[2:]]
    return [_exchanged(each) for each in coordinates]
