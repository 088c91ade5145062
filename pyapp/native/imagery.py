"""Imagery by name, by address, in a file of tiles, or in a picture with a place."""

import hashlib
from pathlib import Path

import numpy as np

from pyapp.core.imagery.mosaic import UndecodableError
from pyapp.core.imagery.source import ARCHIVES, Source, own_source, sources_from_json
from pyapp.core.imagery.worldfile import PICTURES, TIFFS
from pyapp.core.pack.archive import HEAD_BYTES, is_pack
from pyapp.native.errors import NoSuchFileError, UnknownImageryError
from pyapp.native.fetch import Files
from pyapp.native.home import SOURCES
from pyapp.work.archive import open_archive
from pyapp.work.ground import Ground

# Finest zoom of an address, unless it is named.
USUAL_ZOOM = 19


def listed(files: Files) -> list[Source]:
    """All imagery that is listed."""
    return sources_from_json(files.read(SOURCES).decode())


async def imagery_named(
    name: str, finest_zoom: int | None, sources: list[Source], ground: Ground
) -> Source:
    """The source of a name.

    Parameters
    ----------
    name : str
        The id of one that is listed, an address of tiles, or the path of a PMTiles, MBTiles,
        GeoTIFF, another picture with a place, or a pack.
    finest_zoom : int or None
        Of an address.
    sources : list of Source
        Those that are listed.
    ground : Ground
        Learns how the tiles of a file are read.

    Raises
    ------
    UnknownImageryError, NoSuchFileError, AddressError, ArchiveError
    NoGeoError, NoPlaceError, RasterError, NotAPictureError, PackError, ForbiddenKeepError
    """
    for source in sources:
        if name == source.id:
            return source
    if "://" in name:
        return own_source(name, USUAL_ZOOM if finest_zoom is None else finest_zoom, "")
    if name.lower().endswith(ARCHIVES):
        return await _from_file(Path(name), ground)
    if _is_pack(Path(name)):
        from pyapp.native.packed import open_pack

        pack, source = await open_pack(Path(name), sources)
        ground.offer(source, pack.tile)
        return source
    if name.lower().endswith((*TIFFS, *PICTURES)) or Path(name).is_file():
        # What reads it is not needed for other imagery.
        from pyapp.native.raster import open_raster

        opened = await open_raster(Path(name), decode)
        ground.offer(opened.source, opened.opaque_tile)
        return opened.source
    raise UnknownImageryError(name, [each.id for each in sources if each.allows.read])


async def decode(data: bytes) -> np.ndarray:
    """Nothing decodes here what Pillow can't; see `pyapp.work.ports.Decode`."""
    raise UndecodableError("Pillow does not know it")


def absolute(name: str) -> str:
    """The name of imagery as processes elsewhere know it: of a file, its complete path."""
    return str(Path(name).resolve()) if Path(name).is_file() else name


def _is_pack(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return is_pack(file.read(HEAD_BYTES))


async def _from_file(path: Path, ground: Ground) -> Source:
    try:
        size = path.stat().st_size
        file = path.open("rb")
    except OSError as error:
        raise NoSuchFileError(path, error.strerror or str(error)) from error

    async def read(offset: int, length: int) -> bytes:
        file.seek(offset)
        return file.read(length)

    digest = hashlib.sha256(f"{path.name} {size}".encode()).hexdigest()[:16]
    archive = await open_archive(read, path.name, digest)
    ground.offer(archive.source, archive.tile)
    return archive.source
