"""What the card and the report both say about a model, in words."""

import platform
from pathlib import Path
from typing import NamedTuple

import onnxruntime
import torch

from training.figures.side_by_side import REFERENCE
from training.networks import lite
from training.networks.variants import FP32
from training.pictures import sources
from training.settings import Settings
from training.steps.begin import ProjectFacts
from training.steps.compress import Compression

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


class Learned(NamedTuple):
    """What a network learned from.

    Attributes
    ----------
    data : str
        The sources, with what to cite and whose the pictures are.
    restriction : str or None
        Why the model is for research only, if it is.
    """

    data: str
    restriction: str | None


def labels_of(names: tuple[str, ...], begun: ProjectFacts | None) -> list[str]:
    """The readable names of classes; those of a project are as a person wrote them."""
    return list(names) if begun else [label_of(each) for each in names]


def learned_from_project(begun: ProjectFacts) -> Learned:
    """What the network of a project learned from, after the model that it goes on from."""
    source = begun["started_from"]
    credits = f"; imagery: {', '.join(begun['credits'])}" if begun["credits"] else ""
    return Learned(
        f"project {begun['name']} ({begun['examples']} examples given by hand{credits})",
        f"it goes on from {source['model']}, whose licence is {source['licence']}"
        if source["research_only"]
        else None,
    )


def weights_before(begun: ProjectFacts) -> str:
    """Where the weights of a project's network come from."""
    source = begun["started_from"]
    return f"{source['pretrained']}, trained on from the model {source['model']}"


def learned_from(names: tuple[str, ...], settings: Settings, described: Path) -> Learned:
    """What a network of some classes learned from.

    Parameters
    ----------
    names : tuple of str
        The classes.
    settings : Settings
    described : Path
        Has the folders ``sources`` and ``trees``.

    Raises
    ------
    TrainingError
        If a description can't be read.
    """
    if set(READABLE) <= set(names):
        return Learned(UC_MERCED, None)
    how = settings.sources
    if names != sources.classes_of(how.tree, described / "trees"):
        return Learned("a folder of class folders", None)
    found = [sources.describe(each, described / "sources") for each in how.home]
    said = "; ".join(f"{each.title} ({each.citation}; {each.credit})" for each in found)
    limited = [f"{each.title} ({each.licence})" for each in found if each.research_only]
    return Learned(said, f"it learned from {' and '.join(limited)}" if limited else None)


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
