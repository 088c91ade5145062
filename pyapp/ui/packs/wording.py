"""What the page says about kept areas and packs; plain text, without a screen."""

from pyapp.core.ground.geo import LngLat, resolution_m
from pyapp.core.imagery.source import Source
from pyapp.core.pack.area import KeptArea
from pyapp.core.pack.manifest import MODEL, PROJECT, SURVEY, Manifest


def contents(manifest: Manifest) -> str:
    """What came with a pack."""
    parts = [f"imagery of {manifest.area.name}"]
    parts += [f"the model {each.title}" for each in manifest.of_kind(MODEL)]
    surveys = len(manifest.of_kind(SURVEY))
    if surveys:
        parts.append("1 survey" if surveys == 1 else f"{surveys} surveys")
    parts += [f"the project {each.title}" for each in manifest.of_kind(PROJECT)]
    listed = ", ".join(parts[:-1]) + f" and {parts[-1]}" if len(parts) > 1 else parts[0]
    return f"Opened: {listed}."


def share(done: int, total: int) -> str:
    """How far something is.

    >>> share(1, 3)
    '33 %'
    """
    return f"{100 * done // max(total, 1)} %"


def megabytes(count: int) -> str:
    """A size as a person reads it.

    >>> megabytes(240_400_000), megabytes(1_300_000), megabytes(70_000), megabytes(2_100_000_000)
    ('240 MB', '1.3 MB', '0.1 MB', '2.1 GB')
    """
    if count >= 1e9:
        return f"{count / 1e9:.1f} GB"
    if 0 < count < 1e5:
        count = 100_000
    return f"{count / 1e6:.0f} MB" if count >= 1e7 or not count else f"{count / 1e6:.1f} MB"


def tiles(count: int) -> str:
    """A number of tiles.

    >>> tiles(1), tiles(1200)
    ('1 tile', '1,200 tiles')
    """
    return "1 tile" if count == 1 else f"{count:,} tiles"


def zoom_name(zoom: int, lat: float) -> str:
    """A zoom, and how fine it is.

    >>> zoom_name(18, 47.0)
    '18 (0.41 m per pixel)'
    """
    return f"{zoom} ({resolution_m(zoom, lat):.2g} m per pixel)"


def about_plan(count: int, size_bytes: int | None, too_coarse: bool) -> str:
    """What keeping an area takes.

    >>> about_plan(1200, 24_000_000, False)
    '1,200 tiles, about 24 MB.'
    """
    said = tiles(count)
    if size_bytes is None:
        said += "; asking for four of them to estimate the size"
    else:
        said += f", about {megabytes(size_bytes)}"
    if too_coarse:
        said += ". Coarser than the model reads: without a network it can be seen, not classified"
    return said + "."


def about_area(area: KeptArea, done: int, size_bytes: int, goes_on: bool) -> str:
    """How far an area is, and what it takes."""
    zooms = f"zooms {area.zooms.coarsest} to {area.zooms.finest}"
    if done >= area.total:
        return f"{megabytes(size_bytes)}, {tiles(area.total)}, {zooms}"
    state = "" if goes_on else "Paused: "
    return f"{state}{done:,} of {tiles(area.total)}, {megabytes(size_bytes)}"


def area_name(source: Source, place: LngLat) -> str:
    """What an area is called.

    >>> from pyapp.core.imagery.source import own_source
    >>> source = own_source("https://a.org/{z}/{x}/{y}", 19, "https://b.org")
    >>> area_name(source, LngLat(85.5183, 27.6339))
    'a.org at 27.634, 85.518'
    """
    return f"{source.name} at {place.lat:.3f}, {place.lng:.3f}"


def about_gaps(missing: int, failed: int) -> str:
    """What is not there of an area.

    >>> about_gaps(3, 1)
    "3 tiles that the provider doesn't have, 1 tile that did not arrive"
    """
    parts = [f"{tiles(missing)} that the provider doesn't have"] if missing else []
    parts += [f"{tiles(failed)} that did not arrive"] if failed else []
    return ", ".join(parts)
