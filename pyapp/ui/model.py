"""Which model the page uses."""

from typing import NamedTuple

from pyapp.bridge import browser, onnx
from pyapp.core.model import Card

FOLDER = "models"


class Model(NamedTuple):
    """A card and the network that it describes."""

    card: Card
    network: onnx.Network


async def start_model() -> Model:
    """Load the default model.

    Raises
    ------
    ModelError
    """
    card = await onnx.load_card(FOLDER, await onnx.default_model(FOLDER))
    network = await onnx.load(FOLDER, card)
    browser.mark("lookdown:model")
    return Model(card, network)
