"""What the card and the report both say about a model, in words."""

import platform

import onnxruntime
import torch

from training import lite
from training.compress import REFERENCE, Compression
from training.variants import FP32

# Readable names for the class folders of UC Merced that need one.
READABLE = {
    "agricultural": "farmland",
    "baseballdiamond": "baseball diamond",
    "denseresidential": "dense residential area",
    "golfcourse": "golf course",
    "harbor": "harbour",
    "mediumresidential": "medium residential area",
    "mobilehomepark": "mobile home park",
    "parkinglot": "parking lot",
    "sparseresidential": "sparse residential area",
    "storagetanks": "storage tanks",
    "tenniscourt": "tennis court",
}
UC_MERCED = (
    "UC Merced Land Use (Yang and Newsam, ACM SIGSPATIAL GIS 2010), cut from USGS National Map "
    "Urban Area Imagery (public domain)"
)


def label_of(name: str) -> str:
    """The readable name of a class folder."""
    return READABLE.get(name, name.replace("_", " ").replace("-", " ").lower())


def why(compression: Compression) -> str:
    """Why this file is shipped, in one sentence."""
    figures, name = compression["variants"], compression["shipped"]
    own, fp32 = figures[name], figures[FP32]
    size = own["brotli_bytes"] / 1e6
    return (
        f"Of {len(figures) - (REFERENCE in figures)} variants, {name} is the smallest download "
        f"({size:.2f} MB with brotli, fp32 {fp32['brotli_bytes'] / 1e6:.2f} MB) among those that "
        f"lose little on validation pictures ({100 * own['accuracy']:.1f} %, fp32 "
        f"{100 * fp32['accuracy']:.1f} %) and are no slower than fp32 in the browser."
    )


def weights_of(backbone: str) -> str:
    """Where a backbone's pretrained weights come from."""
    if backbone in lite.SCALES:
        return f"{backbone} pretrained on ImageNet (Apache 2.0)"
    return f"{backbone} pretrained on ImageNet by torchvision (BSD 3-Clause)"


def made_with() -> dict[str, str]:
    """Versions and hardware of this machine."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__.split("+")[0],
        "onnxruntime": onnxruntime.__version__,
        "hardware": f"{platform.machine()}, {torch.get_num_threads()} threads",
    }
