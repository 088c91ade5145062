"""The user's cache folder, for everything fetched or compiled; an entry is complete or absent."""

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

CHUNK = 1 << 20


def folder() -> Path:
    """The cache folder: ``LOOKDOWN_CACHE`` if it is set, else the system's usual place."""
    if "LOOKDOWN_CACHE" in os.environ:
        return Path(os.environ["LOOKDOWN_CACHE"]).absolute()
    home = Path.home()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = home / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    return base / "lookdown"


def digest(file: Path) -> str:
    """The sha256 of a file, in hexadecimal."""
    total = hashlib.sha256()
    with file.open("rb") as opened:
        while chunk := opened.read(CHUNK):
            total.update(chunk)
    return total.hexdigest()


def key_of(*parts: str | bytes | Path) -> str:
    """A short hash of what an entry is made of: texts, bytes or files."""
    total = hashlib.sha256()
    for part in parts:
        data = part.read_bytes() if isinstance(part, Path) else part
        data = data.encode() if isinstance(data, str) else data
        total.update(hashlib.sha256(data).digest())
    return total.hexdigest()[:16]


def kept(name: str, make: Callable[[Path], None]) -> Path:
    """An entry of the cache, made if it is not there yet.

    It is filled under another name and renamed once it is complete, so neither a crash nor a second
    process at the same time leaves half of it.

    Parameters
    ----------
    name : str
    make : callable
        Called as ``make(folder)`` to fill an empty folder.

    Returns
    -------
    Path
        The folder ``name`` in the cache.
    """
    place = folder() / name
    if place.exists():
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
    try:
        make(part)
        try:
            part.rename(place)
        except OSError:
            # Another process was faster: what it made is as good.
            if not place.exists():
                raise
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return place
