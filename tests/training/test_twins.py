"""The same picture in two sources is found by its file, or by how it looks."""

import io

import numpy as np
from PIL import Image

from tests.training.conftest import texture
from training.twins import MOST_BITS, difference_hash, have_twin


def test_scaling_and_compression_keep_the_hash():
    for seed in range(5):
        pixels = texture("blobs", seed)
        picture = Image.fromarray(pixels).resize((150, 150), Image.Resampling.BILINEAR)
        compressed = io.BytesIO()
        picture.save(compressed, "JPEG", quality=75)
        again = np.asarray(Image.open(compressed).convert("RGB"))
        apart = difference_hash(pixels) ^ difference_hash(again)
        assert apart.bit_count() <= MOST_BITS


def test_other_pictures_are_far_apart():
    hashes = [difference_hash(texture("blobs", seed)) for seed in range(20)]
    apart = [(a ^ b).bit_count() for a in hashes for b in hashes if a != b]
    assert min(apart) > MOST_BITS


def test_a_brighter_cell_sets_its_bit():
    pixels = np.zeros((8, 9, 3), np.uint8)
    pixels[0, 1] = 200
    assert difference_hash(pixels) == 1 << 63


def test_twins_by_file_and_by_look():
    hashes = np.array([0, 0b111, 2**64 - 1, 5], np.uint64)
    others = np.array([0b11, 2**63], np.uint64)
    found = have_twin(np.array(["a", "b", "c", "d"]), hashes, np.array(["x", "c"]), others)
    assert found.tolist() == [True, True, True, True]
    found = have_twin(np.array(["a", "b", "c"]), hashes[1:], np.array(["x", "y"]), others[1:])
    assert found.tolist() == [False, False, False]
