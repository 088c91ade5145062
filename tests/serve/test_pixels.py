"""Tiles have the same pixels on the page as in training, to the bit: two builds of Pillow agree."""

import hashlib
import io
import json
import shutil

import numpy as np
from PIL import Image

from pyapp.core.imagery.mosaic import decode
from tests.serve.conftest import ROOT

SCRIPT = """
import hashlib, json, sys
from pathlib import Path
sys.path.insert(0, "/work")
from pyapp.core.imagery.mosaic import decode
found = {}
for file in sorted(Path("/work/pictures").iterdir()):
    pixels = decode(file.read_bytes())
    found[file.name] = [*pixels.shape, hashlib.sha256(pixels.tobytes()).hexdigest()]
Path("/work/found.json").write_text(json.dumps(found))
"""


def pictures():
    """Name to encoded picture: noise, which has every sharp edge, ground, and odd sizes."""
    from assembly import imagery

    noise = np.random.default_rng(0).integers(0, 256, (61, 83, 4), np.uint8)
    yield from ((file.name, file.read_bytes()) for file in list(imagery.files().values())[::9])
    for quality in (1, 30, 65, 100):
        for rows, columns in ((61, 83), (60, 82), (1, 1), (2, 5)):
            rgb = Image.fromarray(noise[:rows, :columns, :3])
            name = f"{quality}-{rows}-{columns}"
            yield f"{name}.webp", encoded(rgb, "WEBP", quality=quality)
            yield f"{name}-half.jpg", encoded(rgb, "JPEG", quality=quality, subsampling=2)
            yield f"{name}-full.jpg", encoded(rgb, "JPEG", quality=quality, subsampling=0)
    yield "alpha.webp", encoded(Image.fromarray(noise), "WEBP", quality=60)
    yield "lossless.webp", encoded(Image.fromarray(noise[..., :3]), "WEBP", lossless=True)


def encoded(picture, kind, **options):
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def test_webp_and_jpeg_have_the_same_pixels_on_the_page_and_natively(tmp_path):
    from assembly import runtime

    shutil.copytree(ROOT / "pyapp", tmp_path / "pyapp")
    (tmp_path / "pictures").mkdir()
    script = tmp_path / "decode.py"
    script.write_text(SCRIPT)
    expected = {}
    for number, (name, data) in enumerate(pictures()):
        (tmp_path / "pictures" / f"{number}-{name}").write_bytes(data)
        pixels = decode(data)
        digest = hashlib.sha256(pixels.tobytes()).hexdigest()
        expected[f"{number}-{name}"] = [*pixels.shape, digest]
    runtime.run_in_pyodide(script, tmp_path, "numpy", "pillow", pyodide=runtime.slim_pyodide())
    found = json.loads((tmp_path / "found.json").read_text())
    assert found == expected
