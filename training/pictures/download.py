"""UC Merced from its public addresses, if it isn't on this machine already."""

import re
import zipfile
from pathlib import Path

import pooch

from training.errors import TrainingError
from training.pictures.data import TRAIN_FOLDER
from training.site_tools import cache

ROOT = Path(__file__).resolve().parents[2]
BESIDE = ROOT.parent / "shared" / "data" / "ucmerced"
ARCHIVE = "UCMerced_LandUse.zip"
# The authors' own address first; the mirror is torchgeo's.
ADDRESSES = (
    f"http://weegee.vision.ucmerced.edu/datasets/{ARCHIVE}",
    "https://huggingface.co/datasets/torchgeo/ucmerced/resolve/"
    f"7c5ef3454d9b1cccfa7ccde0c01fc8f00a45909a/{ARCHIVE}",
)
SHA256 = "06c539ef28703a58fb07bd2837991ac7c48b813b00bb12ac197efd813a18daeb"
ARCHIVED_PICTURE = re.compile(r"UCMerced_LandUse/Images/([a-z]+)/([a-z]+\d+\.tif)")
CONNECT_LIMIT_S = 20
RETRIES = 1


def fetch(data: Path | None, addresses: tuple[str, ...] = ADDRESSES, sha256: str = SHA256) -> Path:
    """A folder of class folders.

    Parameters
    ----------
    data : Path or None
        A folder that the person named; it is used as it is.
    addresses : tuple of str
        Where the archive is; the first that gives it is used.
    sha256 : str
        Hexadecimal digest of the archive.

    Returns
    -------
    Path
        ``data``; or the data beside the checkout; or UC Merced, downloaded and unpacked.

    Raises
    ------
    TrainingError
        If no address gives the right archive, or it can't be stored.
    """
    if data is not None:
        return data
    if (BESIDE / TRAIN_FOLDER).is_dir():
        return BESIDE

    def make(folder: Path) -> None:
        archive = _download(addresses, sha256)
        _unpack(archive, folder)
        archive.unlink()

    try:
        return cache.kept(f"ucmerced-{sha256[:16]}", make)
    except OSError as error:
        raise TrainingError(
            f"UC Merced could not be stored in {cache.folder()}: {error}. Make room and run again."
        ) from error


def _download(addresses: tuple[str, ...], sha256: str) -> Path:
    """The archive, in the cache folder."""
    failures = []
    for address in addresses:
        source = pooch.create(
            path=cache.folder(),
            base_url="",
            registry={ARCHIVE: f"sha256:{sha256}"},
            urls={ARCHIVE: address},
            retry_if_failed=RETRIES,
        )
        downloader = pooch.HTTPDownloader(progressbar=True, timeout=CONNECT_LIMIT_S)
        try:
            return Path(source.fetch(ARCHIVE, downloader=downloader))
        except OSError as error:  # Every error of requests is one.
            failures.append(f"{address}: {error}")
        except ValueError as error:
            failures.append(f"{address}: not the file it should be ({error})")
    raise TrainingError(
        "UC Merced could not be fetched. Name a folder of class folders with --data, or try again. "
        + "; ".join(failures)
    )


def _unpack(archive: Path, folder: Path) -> None:
    """Write the pictures of an archive into class folders, and nothing else that it holds."""
    with zipfile.ZipFile(archive) as files:
        for name in files.namelist():
            found = ARCHIVED_PICTURE.fullmatch(name)
            if found:
                place = folder / found[1]
                place.mkdir(exist_ok=True)
                (place / found[2]).write_bytes(files.read(name))
