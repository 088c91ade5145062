"""Which model the page uses."""

import asyncio
from typing import NamedTuple

from pyapp.bridge import browser, onnx
from pyapp.core.model import Card

FOLDER = "models"


class Model(NamedTuple):
    """A card and the network that it describes."""

    card: Card
    network: onnx.Network


def start_model() -> asyncio.Future:
    """Begin to load the default model.

    Returns
    -------
    Future of Model
        Raises a ModelError where it is waited for.
    """
    loading = asyncio.ensure_future(_load())
    # It may fail before anyone waits for it, which Pyodide would take for a forgotten error.
    loading.add_done_callback(lambda _loading: None)
    return loading


async def _load() -> Model:
    card = await onnx.load_card(FOLDER, await onnx.default_model(FOLDER))
    network = await onnx.load(FOLDER, card)
    browser.mark("lookdown:model")
    return Model(card, network)
