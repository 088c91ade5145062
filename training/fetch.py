"""UC Merced from its public address, where it isn't on this machine already."""

import hashlib
import re
import urllib.request
import zipfile
from pathlib import Path

from tqdm import tqdm

from training.data import TRAIN
from training.errors import TrainingError
from training.files import write_whole
from training.site_tools import cache

ROOT = Path(__file__).resolve().parent.parent
BESIDE = ROOT.parent / "shared" / "data" / "ucmerced"
# The authors' own address first; the mirror is torchgeo's.
ADDRESSES = (
    "http://weegee.vision.ucmerced.edu/datasets/UCMerced_LandUse.zip",
    "https://huggingface.co/datasets/torchgeo/ucmerced/resolve/"
    "7c5ef3454d9b1cccfa7ccde0c01fc8f00a45909a/UCMerced_LandUse.zip",
)
SHA256 = "06c539ef28703a58fb07bd2837991ac7c48b813b00bb12ac197efd813a18daeb"
PICTURE = re.compile(r"UCMerced_LandUse/Images/([a-z]+)/([a-z]+\d+\.tif)")
CONNECT_LIMIT_S = 20
PIECE = 1 << 20


def fetch(data: Path | None, addresses: tuple[str, ...] = ADDRESSES, sha256: str = SHA256) -> Path:
    """A folder of class folders.

    Parameters
    ----------
    data : Path, optional
        One that is there already; it is used as it is.
    addresses : tuple of str
        Where the archive may be had, the first that answers.
    sha256 : str
        Of the archive.

    Returns
    -------
    Path
        ``data``; else what lies beside the checkout; else UC Merced, fetched and unpacked.

    Raises
    ------
    TrainingError
        Where it can't be fetched, or isn't what it should be.
    """
    if data is not None:
        return data
    if (BESIDE / TRAIN).is_dir():
        return BESIDE
    folder = cache.folder() / f"ucmerced-{sha256[:16]}"
    if not folder.exists():
        archive = cache.folder() / "UCMerced_LandUse.zip"
        write_whole(archive, lambda part: _download(addresses, part, sha256))
        _unpack(archive, folder)
        archive.unlink()
    return folder


def _download(addresses: tuple[str, ...], part: Path, sha256: str) -> None:
    failures = []
    for address in addresses:
        try:
            found = _download_from(address, part)
        except OSError as error:
            failures.append(f"{address}: {error}")
            continue
        if found == sha256:
            return
        failures.append(f"{address}: not the file it should be (its sha256 is {found})")
    raise TrainingError(
        "UC Merced could not be fetched. Name a folder of class folders with --data, or try again. "
        + "; ".join(failures)
    )


def _download_from(address: str, part: Path) -> str:
    """Write what an address gives, and return its sha256."""
    digest = hashlib.sha256()
    with urllib.request.urlopen(address, timeout=CONNECT_LIMIT_S) as answer, part.open("wb") as out:
        total = int(answer.headers.get("Content-Length", 0)) or None
        with tqdm(total=total, desc="UC Merced", unit="B", unit_scale=True, leave=False) as bar:
            while piece := answer.read(PIECE):
                out.write(piece)
                digest.update(piece)
                bar.update(len(piece))
    return digest.hexdigest()


def _unpack(archive: Path, folder: Path) -> None:
    part = folder.with_name(folder.name + ".part")
    with zipfile.ZipFile(archive) as files:
        for name in files.namelist():
            found = PICTURE.fullmatch(name)
            if found:
                place = part / found[1]
                place.mkdir(parents=True, exist_ok=True)
                (place / found[2]).write_bytes(files.read(name))
    part.replace(folder)
