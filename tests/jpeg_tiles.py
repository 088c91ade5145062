"""The built-in ground as other sites have theirs: JPEG tiles of several zooms."""

from collections import defaultdict
from pathlib import Path

from PIL import Image

from pyapp.core.ground.geo import TILE_PX
from training.site_tools import cache, imagery

COARSEST_ZOOM = 14
NO_IMAGERY = (26, 34, 43)  # the colour of the empty map


def jpeg_tiles() -> Path:
    """A folder with ``<zoom>/<x>/<y>.jpg``: the tiles that the built-in ones were made of, and
    coarser ones down to zoom 14. It is made once and must be left as it is."""
    return cache.kept(f"jpeg-tiles-{cache.key_of(Path(__file__), imagery.CHOICE)}", _make)


def _make(folder: Path) -> None:
    imagery.lay_originals(folder)
    (finest,) = (int(each.name) for each in folder.iterdir())
    for zoom in range(finest, COARSEST_ZOOM, -1):
        _halve(folder / str(zoom), folder / str(zoom - 1))


def _halve(finer: Path, coarser: Path) -> None:
    """Make the tiles of a zoom from those of the next finer one."""
    parents: dict[tuple[int, int], list[tuple[int, int, Path]]] = defaultdict(list)
    for file in sorted(finer.glob("*/*.jpg")):
        x, y = int(file.parent.name), int(file.stem)
        parents[x // 2, y // 2].append((x % 2, y % 2, file))
    for (x, y), children in parents.items():
        four = Image.new("RGB", (2 * TILE_PX, 2 * TILE_PX), NO_IMAGERY)
        for right, down, file in children:
            four.paste(Image.open(file), (right * TILE_PX, down * TILE_PX))
        out = coarser / str(x) / f"{y}.jpg"
        out.parent.mkdir(parents=True, exist_ok=True)
        four.reduce(2).save(out, "JPEG", quality=88)
