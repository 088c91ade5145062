"""The same picture in two sources is found by its file, or by how it looks."""

import io

import numpy as np
from PIL import Image

from tests.training.conftest import texture
from training.pictures.twins import MOST_BITS, difference_hash, have_twin


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


WORD = 0x0123456789ABCDEF


def test_twins_by_file_and_by_look():
    hashes = np.array([WORD, WORD ^ 0b111, ~WORD & 2**64 - 1, WORD ^ 0b11], np.uint64)
    files, others = np.array(["a", "b", "c", "d"]), np.array(["x", "c"])
    found = have_twin(files, hashes, others, np.array([WORD, 0], np.uint64))
    assert found.tolist() == [True, False, True, True]


def test_a_steady_slope_of_light_is_no_twin():
    slope = np.tile(np.linspace(0, 255, 64).astype(np.uint8)[:, None], (64, 1, 3))
    hashes = np.array([difference_hash(slope)], np.uint64)
    assert not have_twin(np.array(["a"]), hashes, np.array(["b"]), hashes).any()
    assert have_twin(np.array(["a"]), hashes, np.array(["a"]), hashes).all()
