"""The same picture in two sources: found by its file, or by how it looks."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# Bits in which the hashes of two pictures may differ for them to count as the same.
MOST_BITS = 2
# A hash with fewer ones or fewer zeros only says that the light falls or rises steadily, as on many
# a beach. Such pictures are compared by their files alone.
FEWEST_EITHER = 8
HASH_PX = 8
BLOCK = 512


def difference_hash(pixels: NDArray[np.uint8]) -> int:
    """A hash of 64 bits that survives scaling and compression: Krawetz's dHash (2013).

    Each bit says whether a cell of the shrunken, grey picture is brighter than the one to its left.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (rows, columns, 3)
    """
    grey = Image.fromarray(pixels).convert("L")
    small = np.asarray(grey.resize((HASH_PX + 1, HASH_PX), Image.Resampling.BOX), np.int16)
    return int.from_bytes(np.packbits(small[:, 1:] > small[:, :-1]).tobytes(), "big")


def have_twin(
    sha256: NDArray[np.str_],
    hashes: NDArray[np.uint64],
    other_sha256: NDArray[np.str_],
    other_hashes: NDArray[np.uint64],
) -> NDArray[np.bool_]:
    """Which of N pictures are also among M others, shape (N,).

    Parameters
    ----------
    sha256, other_sha256 : ndarray of str, shapes (N,) and (M,)
        Digests of the files.
    hashes, other_hashes : ndarray of uint64, shapes (N,) and (M,)
        What `difference_hash` gives.
    """
    found: NDArray[np.bool_] = np.isin(sha256, other_sha256)
    ones = np.bitwise_count(hashes)
    telling = (ones >= FEWEST_EITHER) & (ones <= 64 - FEWEST_EITHER)
    for start in range(0, len(hashes), BLOCK):
        part = hashes[start : start + BLOCK, np.newaxis]
        alike = (np.bitwise_count(part ^ other_hashes) <= MOST_BITS).any(1)
        found[start : start + BLOCK] |= alike & telling[start : start + BLOCK]
    return found
