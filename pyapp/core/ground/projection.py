"""Map projections of georeferenced pictures: from longitude and latitude to metres, and back.

Transverse Mercator by Krüger's series to the third order of the flattening, below a millimetre
within 30 degrees of the central meridian (Karney, Transverse Mercator with an accuracy of a few
nanometers, J. Geodesy 85, 2011); Lambert's conformal conic by Snyder, Map Projections: A Working
Manual (USGS 1395), p. 107. Datums that agree with WGS 84 to about a metre (ETRS89, NAD83, GDA,
NZGD, RGF93) are taken as it, as GDAL does without a grid.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from pyapp.core.ground.geo import EARTH_RADIUS_M, MAX_LATITUDE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

# GRS 80, which differs from WGS 84 by a tenth of a millimetre.
FLATTENING = 1 / 298.257222101
ECCENTRICITY = math.sqrt(FLATTENING * (2 - FLATTENING))
STEPS = 12


class Points(NamedTuple):
    """Coordinates east and north: degrees on the earth, or the units of a projection."""

    x: Numbers
    y: Numbers


class Projection(Protocol):
    """A coordinate reference system."""

    def forward(self, lng: Numbers, lat: Numbers) -> Points:
        """Projected coordinates of places in degrees."""

    def inverse(self, x: Numbers, y: Numbers) -> Points:
        """Places in degrees of projected coordinates."""


@dataclass(frozen=True)
class Geographic:
    """Degrees as they are."""

    def forward(self, lng: Numbers, lat: Numbers) -> Points:
        """Degrees."""
        return Points(lng, lat)

    def inverse(self, x: Numbers, y: Numbers) -> Points:
        """Degrees."""
        return Points(x, y)


@dataclass(frozen=True)
class WebMercator:
    """The projection of web maps, a sphere's Mercator."""

    def forward(self, lng: Numbers, lat: Numbers) -> Points:
        """Metres at the equator."""
        phi = np.radians(np.clip(lat, -MAX_LATITUDE, MAX_LATITUDE))
        return Points(EARTH_RADIUS_M * np.radians(lng), EARTH_RADIUS_M * np.arcsinh(np.tan(phi)))

    def inverse(self, x: Numbers, y: Numbers) -> Points:
        """Degrees."""
        lat = np.degrees(np.arctan(np.sinh(y / EARTH_RADIUS_M)))
        return Points(np.degrees(x / EARTH_RADIUS_M), lat)


@dataclass(frozen=True)
class TransverseMercator:
    """Transverse Mercator, of which UTM is 120 zones.

    Attributes
    ----------
    meridian : float
        Central meridian, in degrees.
    scale : float
        Scale on it.
    east_m, north_m : float
        False easting and northing, where the meridian meets the equator.
    """

    meridian: float
    scale: float = 0.9996
    east_m: float = 500_000.0
    north_m: float = 0.0

    def forward(self, lng: Numbers, lat: Numbers) -> Points:
        """Metres."""
        n, phi = _THIRD, np.radians(lat)
        e = 2 * math.sqrt(n) / (1 + n)
        t = np.sinh(np.arctanh(np.sin(phi)) - e * np.arctanh(e * np.sin(phi)))
        away = np.radians((lng - self.meridian + 180.0) % 360.0 - 180.0)
        xi = np.arctan2(t, np.cos(away))
        eta = np.arctanh(np.sin(away) / np.sqrt(1 + t * t))
        x, y = eta, xi
        for order, weight in enumerate(_ALPHA, 1):
            x = x + weight * np.cos(2 * order * xi) * np.sinh(2 * order * eta)
            y = y + weight * np.sin(2 * order * xi) * np.cosh(2 * order * eta)
        unit_m = self.scale * _RECTIFYING_M
        return Points(self.east_m + unit_m * x, self.north_m + unit_m * y)

    def inverse(self, x: Numbers, y: Numbers) -> Points:
        """Degrees."""
        unit_m = self.scale * _RECTIFYING_M
        xi, eta = (y - self.north_m) / unit_m, (x - self.east_m) / unit_m
        xi_0, eta_0 = xi, eta
        for order, weight in enumerate(_BETA, 1):
            xi_0 = xi_0 - weight * np.sin(2 * order * xi) * np.cosh(2 * order * eta)
            eta_0 = eta_0 - weight * np.cos(2 * order * xi) * np.sinh(2 * order * eta)
        chi = np.arcsin(np.sin(xi_0) / np.cosh(eta_0))
        phi = chi
        for order, weight in enumerate(_DELTA, 1):
            phi = phi + weight * np.sin(2 * order * chi)
        away = np.arctan2(np.sinh(eta_0), np.cos(xi_0))
        return Points(self.meridian + np.degrees(away), np.degrees(phi))


@dataclass(frozen=True)
class LambertConic:
    """Lambert's conformal conic with two standard parallels.

    Attributes
    ----------
    meridian, origin : float
        Longitude and latitude of the origin, in degrees.
    parallels : tuple of float
        The two standard parallels, in degrees.
    east_m, north_m : float
        False easting and northing.
    """

    meridian: float
    origin: float
    parallels: tuple[float, float]
    east_m: float
    north_m: float

    @property
    def _cone(self) -> tuple[float, float]:
        """The constant of the cone, and the radius of a parallel at t = 1, in metres."""
        first, second = (math.radians(each) for each in self.parallels)
        m_1, m_2 = (
            math.cos(each) / math.sqrt(1 - (ECCENTRICITY * math.sin(each)) ** 2)
            for each in (first, second)
        )
        t_1, t_2 = (float(_conformal(np.float64(each))) for each in (first, second))
        n = math.log(m_1 / m_2) / math.log(t_1 / t_2)
        return n, EARTH_RADIUS_M * m_1 / (n * t_1**n)

    def forward(self, lng: Numbers, lat: Numbers) -> Points:
        """Metres."""
        n, unit_m = self._cone
        radius = unit_m * _conformal(np.radians(lat)) ** n
        base = unit_m * float(_conformal(np.float64(math.radians(self.origin)))) ** n
        angle = n * np.radians(lng - self.meridian)
        x = self.east_m + radius * np.sin(angle)
        return Points(x, self.north_m + base - radius * np.cos(angle))

    def inverse(self, x: Numbers, y: Numbers) -> Points:
        """Degrees."""
        n, unit_m = self._cone
        base = unit_m * float(_conformal(np.float64(math.radians(self.origin)))) ** n
        right, down = x - self.east_m, base - (y - self.north_m)
        t = (np.hypot(right, down) / unit_m) ** (1 / n)
        phi = math.pi / 2 - 2 * np.arctan(t)
        for _ in range(STEPS):
            part = ECCENTRICITY * np.sin(phi)
            phi = math.pi / 2 - 2 * np.arctan(t * ((1 - part) / (1 + part)) ** (ECCENTRICITY / 2))
        return Points(self.meridian + np.degrees(np.arctan2(right, down) / n), np.degrees(phi))


def _conformal(phi: Numbers | np.float64) -> Numbers:
    """Snyder's t (15-9) of latitudes in radians."""
    part = ECCENTRICITY * np.sin(phi)
    shrunk = ((1 - part) / (1 + part)) ** (ECCENTRICITY / 2)
    return np.asarray(np.tan(math.pi / 4 - phi / 2) / shrunk)


_THIRD = FLATTENING / (2 - FLATTENING)
_RECTIFYING_M = EARTH_RADIUS_M / (1 + _THIRD) * (1 + _THIRD**2 / 4 + _THIRD**4 / 64)
_ALPHA = (
    _THIRD / 2 - 2 * _THIRD**2 / 3 + 5 * _THIRD**3 / 16,
    13 * _THIRD**2 / 48 - 3 * _THIRD**3 / 5,
    61 * _THIRD**3 / 240,
)
_BETA = (
    _THIRD / 2 - 2 * _THIRD**2 / 3 + 37 * _THIRD**3 / 96,
    _THIRD**2 / 48 + _THIRD**3 / 15,
    17 * _THIRD**3 / 480,
)
_DELTA = (
    2 * _THIRD - 2 * _THIRD**2 / 3 - 2 * _THIRD**3,
    7 * _THIRD**2 / 3 - 8 * _THIRD**3 / 5,
    56 * _THIRD**3 / 15,
)

# Codes of the EPSG registry: degrees in WGS 84, ETRS89, NAD83, GDA94, NZGD2000, RGF93.
_DEGREES = (4326, 4258, 4269, 4283, 4167, 4171)
_WEB_MERCATOR = (3857, 900913, 3785, 102100)
_SINGLE: dict[int, Projection] = {
    2154: LambertConic(3.0, 46.5, (49.0, 44.0), 700_000.0, 6_600_000.0),  # France
    2180: TransverseMercator(19.0, 0.9993, 500_000.0, -5_300_000.0),  # Poland
    2193: TransverseMercator(173.0, 0.9996, 1_600_000.0, 10_000_000.0),  # New Zealand
    3006: TransverseMercator(15.0),  # Sweden
}
# First code, first and last zone, and whether south of the equator, of families of UTM zones.
_ZONES = (
    (32601, 1, 60, False),  # WGS 84
    (32701, 1, 60, True),
    (25828, 28, 38, False),  # ETRS89
    (26901, 1, 23, False),  # NAD83
    (28348, 48, 58, True),  # GDA94
    (7846, 46, 59, True),  # GDA2020
)


def projection_of(epsg: int) -> Projection | None:
    """The projection with a code of the EPSG registry; ``None`` if it is none of those known.

    >>> projection_of(32633)
    TransverseMercator(meridian=15.0, scale=0.9996, east_m=500000.0, north_m=0.0)
    """
    if epsg in _DEGREES:
        return Geographic()
    if epsg in _WEB_MERCATOR:
        return WebMercator()
    for first, zone, last, south in _ZONES:
        if first <= epsg <= first + last - zone:
            meridian = 6.0 * (zone + epsg - first) - 183.0
            return TransverseMercator(meridian, north_m=10_000_000.0 if south else 0.0)
    return _SINGLE.get(epsg)
