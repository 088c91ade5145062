"""Placeholders and stretched imagery are distinguished from ground."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pyapp.core.imagery.mosaic import decode
from pyapp.core.imagery.quality import flatness, flaw
from pyapp.core.state import CellState
from tests.browser.conftest import ROOT

DATA = ROOT.parent / "shared" / "data"
UC_MERCED = DATA / "ucmerced"
METHODS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC,
        "nearest": Image.Resampling.NEAREST}  # fmt: skip


def encoded(picture: Image.Image) -> np.ndarray:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=85)
    return decode(out.getvalue())


@pytest.fixture(scope="module")
def scenes():
    if not UC_MERCED.is_dir():
        pytest.skip("UC Merced is not there")
    files = sorted(UC_MERCED.rglob("*.jpg"))[::9]
    return [Image.fromarray(decode(file.read_bytes())).resize((256, 256)) for file in files]


def share(pictures, wanted) -> float:
    return sum(flaw(np.asarray(each)) == wanted for each in pictures) / len(pictures)


def test_scenes_are_fine(scenes):
    assert share(scenes, None) >= 0.99


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("times", [4, 8])
def test_scenes_that_were_stretched_are_blurred(scenes, method, times):
    part = (17, 33, 17 + 256 // times, 33 + 256 // times)
    stretched = [
        encoded(each.crop(part).resize((256, 256), METHODS[method])) for each in scenes[::2]
    ]
    assert share(stretched, CellState.BLURRED) >= 0.85


def test_a_placeholder_is_blank():
    tile = Image.new("RGB", (256, 256), (204, 204, 204))
    ImageDraw.Draw(tile).text((60, 120), "Map data not yet available", fill=(140, 140, 140))
    assert flaw(encoded(tile)) == CellState.BLANK
    assert flaw(np.zeros((256, 256, 3), np.uint8)) == CellState.BLANK


def test_a_calm_surface_is_not_called_blurred():
    noise = np.random.default_rng(0).normal(0, 0.6, (256, 256, 1))
    sea = np.clip(np.array([30, 60, 90]) + noise + np.linspace(0, 6, 256)[:, None, None], 0, 255)
    assert flaw(sea.astype(np.uint8)) is None


def rough(seed: int, size: int = 256) -> np.ndarray:
    """Contrast at every scale, as photographs of the ground have it: an amplitude of 1 / f."""
    frequency = np.fft.fftfreq(size)
    distance = np.hypot(frequency[:, None], frequency)
    distance[0, 0] = np.inf
    waves = np.fft.fft2(np.random.default_rng(seed).normal(size=(size, size))) / distance
    grey = np.fft.ifft2(waves).real
    grey = 128 + 40 * (grey - grey.mean()) / grey.std()
    return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], 3, 2)


@pytest.mark.parametrize("seed", range(4))
def test_rough_ground_is_fine_until_it_is_stretched(seed):
    picture = Image.fromarray(rough(seed))
    assert flaw(np.asarray(picture)) is None
    for method in METHODS.values():
        for times in (4, 8):
            part = (17, 33, 17 + 256 // times, 33 + 256 // times)
            stretched = picture.crop(part).resize((256, 256), method)
            assert flaw(np.asarray(stretched)) == CellState.BLURRED


def test_a_smooth_slope_is_too_little_to_judge_by():
    slope = np.repeat(np.arange(256, dtype=np.uint8)[:, None, None], 256, 1)
    assert flaw(np.repeat(slope, 3, 2)) is None


def test_one_colour_with_a_little_drawing_is_blank_even_if_other_colours_share_its_green():
    tile = np.full((256, 256, 3), (10, 80, 200), np.uint8)
    assert flatness(tile) == 1
    tile[:64] = (200, 80, 10)
    assert flatness(tile) == pytest.approx(0.75)
    assert flaw(tile) == CellState.BLANK
