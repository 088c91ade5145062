"""Opens the page: builds its parts and joins them."""

import asyncio

from pyapp.bridge import browser
from pyapp.bridge.device import read_device
from pyapp.bridge.leaflet import GroundMap
from pyapp.bridge.pictures import on_picture, take_shared
from pyapp.ui.answer.classify import Classify
from pyapp.ui.answer.places import Places
from pyapp.ui.answer.result import ResultPanel
from pyapp.ui.device.backends.backends import DevicePanel
from pyapp.ui.device.backends.model import Models
from pyapp.ui.device.backends.release import ReleasePanel
from pyapp.ui.device.backends.storage import StoragePanel
from pyapp.ui.ground.address import AddressBar
from pyapp.ui.ground.imagery import ImageryPanel
from pyapp.ui.ground.square import Square
from pyapp.ui.shell.history import History
from pyapp.ui.shell.keys import Key, Keys
from pyapp.ui.shell.notice import Notice
from pyapp.ui.shell.start import close_start_screen
from pyapp.work.ground import Ground

browser.mark("lookdown:python")
shared = await take_shared()  # noqa: F704  (PyScript runs this in a coroutine)
notice = Notice()
models = Models(notice)
imagery = await ImageryPanel.open(notice)  # noqa: F704
address = AddressBar(imagery)
ground_map = GroundMap("map", address.first_view)
imagery.show_on(ground_map)
square = Square(ground_map)
address.keep(ground_map, square)
history = History()
square.on_put(lambda before: history.add("moving the square", lambda: square.cover(before), square))
ground = Ground(read_device().cache_bytes)
classify = Classify(square, imagery, ground, ResultPanel(), notice)
device = DevicePanel(classify, ground, imagery.builtin, notice)
StoragePanel()
Places(ground_map, square, imagery, classify)
keys = Keys()


def leave() -> None:
    """Give up what is going on, and close what is open."""
    classify.cancel()
    notice.clear()
    imagery.close()


keys.add(
    [
        Key("Enter", "Classify what is in the square", classify.press),
        Key("Esc", "Cancel, close", leave),
        Key("C", "Bring the square to the centre of the map", square.bring_here),
        Key("F", "Let the square follow the map, or not", square.toggle_follow),
        Key("I", "Choose the imagery", imagery.toggle),
        Key("D", "This device: model, storage", device.toggle),
        Key("Z", "Undo", history.undo),
    ]
)
close_start_screen()
browser.mark("lookdown:interactive")


def use_model() -> None:
    """Classify with the chosen model, as soon as it is there."""
    asyncio.ensure_future(classify.use(models.loading))  # noqa: RUF006
    asyncio.ensure_future(device.use(models.loading))  # noqa: RUF006


models.on_pick(use_model)
loading = asyncio.ensure_future(classify.use(models.loading))
# The rest is not wanted in the first second, so the start does not wait for it.
await asyncio.wait((loading,), timeout=10)  # noqa: F704
from pyapp.ui.page import add_surveys  # noqa: E402

see_file = add_surveys(ground_map, square, imagery, ground, classify, history, notice, keys, leave)
on_picture(see_file)
await loading  # noqa: F704
if shared is not None:
    await classify.classify_picture(shared)  # noqa: F704
await ReleasePanel(classify).keep()  # noqa: F704
await device.use(models.loading)  # noqa: F704
