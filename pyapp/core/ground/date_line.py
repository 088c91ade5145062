"""Polygons that cross the date line: put together so that neighbours have near longitudes."""

import numpy as np

from pyapp.core.errors import AreaFileError

WORLD, HALF = 360.0, 180.0
Rings = list[np.ndarray]


def unbroken(rings: Rings) -> Rings:
    """A polygon whose rings don't jump from one end of the map to the other.

    A side longer than half of the world is taken as crossing the date line, and one of exactly
    all of it as the edge of the map.

    Parameters
    ----------
    rings : list of ndarray of float64, shape (N, 2)
        The outline, then the holes, in degrees.

    Raises
    ------
    AreaFileError
        If a ring goes around a pole.

    Examples
    --------
    >>> fiji = np.array([[179.0, -17.0], [-179.0, -17.0], [-179.0, -16.0], [179.0, -16.0]])
    >>> unbroken([fiji])[0][:, 0].tolist()
    [179.0, 181.0, 181.0, 179.0]
    """
    found = [_unbroken(each) for each in rings]
    middle = _middle(found[0])
    return [_moved(each, WORLD * round((middle - _middle(each)) / WORLD)) for each in found]


def _unbroken(ring: np.ndarray) -> np.ndarray:
    steps = np.diff(ring[:, 0], append=ring[:1, 0])
    jumps = (np.abs(steps) > HALF) & (np.abs(steps) < WORLD)
    turns = np.where(jumps, -np.sign(steps), 0.0)
    if turns.sum() != 0:
        raise AreaFileError("its outline goes around a pole, where web maps end")
    moves = WORLD * np.append(0.0, np.cumsum(turns)[:-1])
    return np.stack([ring[:, 0] + moves, ring[:, 1]], 1)


def _middle(ring: np.ndarray) -> float:
    return float(ring[:, 0].min() + ring[:, 0].max()) / 2


def joined(polygons: list[Rings]) -> list[Rings]:
    """Polygons side by side, if they were cut at the date line as RFC 7946 (3.1.9) asks.

    Parameters
    ----------
    polygons : list of list of ndarray

    Returns
    -------
    list of list of ndarray
        Those east of the widest gap between them first on the map; the others 360 degrees on.
    """
    if len(polygons) < 2:
        return polygons
    west = np.array([each[0][:, 0].min() for each in polygons])
    east = np.array([each[0][:, 0].max() for each in polygons])
    if east.max() - west.min() <= HALF:
        return polygons
    shift = -WORLD * np.floor((west + HALF) / WORLD)
    west, east = west + shift, east + shift
    order = np.argsort(west, kind="stable")
    reach = np.maximum.accumulate(east[order])
    gaps = west[order][1:] - reach[:-1]
    widest = int(np.argmax(gaps))
    if gaps[widest] > west[order[0]] + WORLD - reach[-1]:
        shift[order[: widest + 1]] += WORLD
    moves = zip(polygons, shift.tolist(), strict=True)
    return [[_moved(ring, move) for ring in each] for each, move in moves]


def _moved(ring: np.ndarray, east: float) -> np.ndarray:
    return np.stack([ring[:, 0] + east, ring[:, 1]], 1)
