"""Makes the built-in imagery smaller: JPEG to WebP; runs inside Pyodide.

Turns ``/work/<zoom>/<x>/<y>.jpg`` into ``.webp``. Pyodide's libwebp gives the same bytes on any
machine. What it costs in looks and answers is measured by ``python -m tests.bench imagery``.
"""

from pathlib import Path

from PIL import Image

QUALITY = 65
MOST_EFFORT = 6

for file in sorted(Path("/work").rglob("*.jpg")):
    with Image.open(file) as tile:
        tile.save(file.with_suffix(".webp"), quality=QUALITY, method=MOST_EFFORT)
    file.unlink()
