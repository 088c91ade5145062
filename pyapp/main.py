"""Opens the page: builds its parts and joins them."""

from pyapp.bridge import browser
from pyapp.bridge.ground import Ground
from pyapp.bridge.leaflet import GroundMap
from pyapp.ui.address import AddressBar
from pyapp.ui.classify import Classify
from pyapp.ui.imagery import ImageryPanel
from pyapp.ui.keys import bind_keys
from pyapp.ui.model import start_model
from pyapp.ui.notice import Notice
from pyapp.ui.places import Places
from pyapp.ui.release import ReleasePanel
from pyapp.ui.result import ResultPanel
from pyapp.ui.square import Square
from pyapp.ui.start import close_start_screen

browser.mark("lookdown:python")
notice = Notice()
model = start_model()
imagery = await ImageryPanel.open(notice)  # noqa: F704  (PyScript runs this in a coroutine)
address = AddressBar(imagery)
ground_map = GroundMap("map", address.first_view)
imagery.show_on(ground_map)
square = Square(ground_map)
address.keep(ground_map)
classify = Classify(square, imagery, Ground(), ResultPanel(), notice)
Places(ground_map, square, imagery, classify)
bind_keys(classify, square, imagery, notice)
close_start_screen()
browser.mark("lookdown:interactive")
await classify.use(model)  # noqa: F704
await ReleasePanel().keep()  # noqa: F704
