"""Makes coarser zooms of the built-in imagery by averaging four tiles; runs inside Pyodide.

Works on ``/work/<zoom>/<x>/<y>.jpg``; ``/work/pyramid.json`` names the native and coarsest zoom.
"""

import json
from pathlib import Path

from PIL import Image

TILE_PX = 256
NO_IMAGERY = (26, 34, 43)  # the colour of the empty map
WORK = Path("/work")


def halve(zoom: int) -> None:
    """Make the tiles of a zoom from those of the next finer one."""
    parents: dict[tuple[int, int], list[tuple[int, int, Path]]] = {}
    for file in sorted((WORK / str(zoom + 1)).glob("*/*.jpg")):
        x, y = int(file.parent.name), int(file.stem)
        parents.setdefault((x // 2, y // 2), []).append((x % 2, y % 2, file))
    for (x, y), children in parents.items():
        four = Image.new("RGB", (2 * TILE_PX, 2 * TILE_PX), NO_IMAGERY)
        for right, down, file in children:
            four.paste(Image.open(file), (right * TILE_PX, down * TILE_PX))
        out = WORK / str(zoom) / str(x) / f"{y}.jpg"
        out.parent.mkdir(parents=True, exist_ok=True)
        four.reduce(2).save(out, "JPEG", quality=88)


limits = json.loads((WORK / "pyramid.json").read_text())
for each in range(limits["native_zoom"] - 1, limits["coarsest_zoom"] - 1, -1):
    halve(each)
