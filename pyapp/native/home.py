"""Where the models and the list of imagery lie: in the installed package, a clone, or a site."""

import sys
from pathlib import Path

from pyapp.native.errors import HomeError
from pyapp.native.fetch import Files

SOURCES = "imagery/sources.json"
# What the wheel carries; see site/assembly/wheel.py.
DATA = Path(__file__).with_name("data")
CLONE = Path(__file__).resolve().parents[2]


def files_of(site: Path | None) -> Files:
    """The files that the command needs of a site.

    Parameters
    ----------
    site : Path or None
        A folder that ``python serve.py --build`` wrote. ``None`` takes what was installed, or the
        clone that this is a part of.

    Raises
    ------
    HomeError
        If they are not there.
    """
    if site is not None or DATA.is_dir():
        folder = site or DATA
        if not (folder / SOURCES).is_file():
            raise HomeError(f"{folder} has no {SOURCES}")
        return Files({name: file.read_bytes for name, file in _below(folder).items()})
    if not (CLONE / "site" / "assembly").is_dir():
        raise HomeError(f"neither {DATA} nor a clone around it is there")
    return _of_clone()


def _below(folder: Path) -> dict[str, Path]:
    return {
        file.relative_to(folder).as_posix(): file
        for part in ("models", "imagery")
        for file in (folder / part).rglob("*")
        if file.is_file()
    }


def _of_clone() -> Files:
    """What the build of the page lays out, as far as it is needed here."""
    sys.path.insert(0, str(CLONE / "site"))
    from assembly import imagery
    from assembly.errors import SetupError

    try:
        found = {name: file.read_bytes for name, file in imagery.files().items()}
        sources = imagery.sources().encode()
    except SetupError as error:
        raise HomeError(str(error)) from error
    models = {name: file.read_bytes for name, file in _below(CLONE).items()}
    return Files({**models, **found, SOURCES: lambda: sources})
