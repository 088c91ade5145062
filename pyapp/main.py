"""Opens the page: builds its parts and joins them."""

import asyncio

from pyapp.bridge import browser
from pyapp.bridge.device import read_device
from pyapp.bridge.ground import Ground
from pyapp.bridge.leaflet import GroundMap
from pyapp.bridge.pictures import on_picture, take_shared
from pyapp.ui.address import AddressBar
from pyapp.ui.classify import Classify
from pyapp.ui.device import DevicePanel
from pyapp.ui.imagery import ImageryPanel
from pyapp.ui.keys import bind_keys
from pyapp.ui.model import Models
from pyapp.ui.notice import Notice
from pyapp.ui.places import Places
from pyapp.ui.release import ReleasePanel
from pyapp.ui.result import ResultPanel
from pyapp.ui.square import Square
from pyapp.ui.start import close_start_screen
from pyapp.ui.storage import StoragePanel

browser.mark("lookdown:python")
shared = await take_shared()  # noqa: F704  (PyScript runs this in a coroutine)
notice = Notice()
models = Models(notice)
imagery = await ImageryPanel.open(notice)  # noqa: F704
address = AddressBar(imagery)
ground_map = GroundMap("map", address.first_view)
imagery.show_on(ground_map)
square = Square(ground_map)
address.keep(ground_map)
ground = Ground(read_device().cache_bytes)
classify = Classify(square, imagery, ground, ResultPanel(), notice)
device = DevicePanel(classify, ground, imagery.builtin, notice)
StoragePanel()
Places(ground_map, square, imagery, classify)
on_picture(classify.classify_picture)
bind_keys(classify, square, imagery, notice)
close_start_screen()
browser.mark("lookdown:interactive")


def use_model() -> None:
    """Classify with the chosen model, as soon as it is there."""
    asyncio.ensure_future(classify.use(models.loading))  # noqa: RUF006
    asyncio.ensure_future(device.use(models.loading))  # noqa: RUF006


models.on_pick(use_model)
await classify.use(models.loading)  # noqa: F704
if shared is not None:
    await classify.classify_picture(shared)  # noqa: F704
await ReleasePanel(classify).keep()  # noqa: F704
await device.use(models.loading)  # noqa: F704
