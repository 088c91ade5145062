"""Builds the parts of the page and joins them: the one place that knows them all."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyapp.bridge import browser, canvas
from pyapp.bridge.device import Browser
from pyapp.bridge.http import fetch_bytes
from pyapp.bridge.leaflet import GroundMap
from pyapp.bridge.onnx import Onnx
from pyapp.bridge.pictures import bytes_of, on_picture, take_shared
from pyapp.core.ground.area_file import area_from_geojson, holds_geojson
from pyapp.core.ground.geo import LngLat
from pyapp.core.imagery.source import sources_from_json
from pyapp.ui.answer.classify import Classify
from pyapp.ui.answer.places import Places
from pyapp.ui.answer.result import ResultPanel
from pyapp.ui.device.backends import BackendPanel
from pyapp.ui.device.model import ModelChoice
from pyapp.ui.device.storage import StoragePanel
from pyapp.ui.device.suited import SuitedModel
from pyapp.ui.ground.address import AddressBar
from pyapp.ui.ground.imagery import ImageryPanel
from pyapp.ui.ground.square import Square
from pyapp.ui.shell.history import History
from pyapp.ui.shell.keys import Key, Keys
from pyapp.ui.shell.notice import Notice
from pyapp.ui.shell.start import close_start_screen
from pyapp.work.busy import Busy
from pyapp.work.classifier import Classifier
from pyapp.work.ground import Ground
from pyapp.work.loading import ModelFiles
from pyapp.work.models import Models
from pyapp.work.tasks import Tasks, begin

if TYPE_CHECKING:
    from pyapp.ui.answer.explain import Why
    from pyapp.ui.ground.files import OwnFiles
    from pyapp.ui.survey.alike import Alike
    from pyapp.ui.survey.cells import Cells
    from pyapp.ui.survey.files import SurveyFiles
    from pyapp.ui.survey.panel import SurveyPanel
    from pyapp.ui.survey.plan import Plan

MODELS = "models"
SOURCES = "imagery/sources.json"
SURVEYS = "lookdown surveys"
LIMIT_S = 30.0
# Surveys are not wanted in the first second, so they are built once a model is there, or not
# much later.
SURVEYS_AFTER_S = 10.0


@dataclass
class Surveys:
    """The parts of surveys, which are built after the first screen."""

    plan: "Plan"
    panel: "SurveyPanel"
    cells: "Cells"
    why: "Why"
    alike: "Alike"
    files: "SurveyFiles"

    def close(self) -> None:
        """Close what is open."""
        self.panel.close()
        self.why.hide()
        self.alike.clear()

    async def see(self, data: bytes) -> None:
        """Show a survey that was saved here, or take the area of another GeoJSON file."""
        text = data.decode(errors="replace")
        if holds_geojson(text):
            self.plan.take(area_from_geojson(text))
        else:
            await self.files.see(data)

    def clicked(self, place: LngLat) -> bool:
        """Whether a click on the map meant something else than putting the square there."""
        return self.plan.drawing.goes_on or self.cells.open_at(place)


@dataclass
class Page:
    """The parts that others are joined to, and what Enter and Escape mean."""

    tasks: Tasks
    busy: Busy
    notice: Notice
    history: History
    ground_map: GroundMap
    square: Square
    imagery: ImageryPanel
    ground: Ground
    models: Models
    choice: ModelChoice
    classifier: Classifier
    classify: Classify
    surveys: Surveys | None = None
    files: "OwnFiles | None" = None

    def enter(self) -> None:
        """Finish what is being drawn, or classify what is in the square."""
        if self.surveys is not None and self.surveys.plan.drawing.goes_on:
            self.surveys.plan.drawing.finish()
        else:
            self.classify.press()

    def escape(self) -> None:
        """Give up what is being drawn; or what is going on, and close what is open."""
        if self.surveys is not None and self.surveys.plan.drawing.goes_on:
            self.surveys.plan.drawing.cancel()
            return
        self.classify.cancel()
        self.choice.cancel()
        self.notice.dismiss()
        self.imagery.close()
        if self.surveys is not None:
            self.surveys.close()

    async def see(self, file) -> None:
        """Look at a file that was given to the page: imagery, a survey of ours, or a picture."""
        if self.files is not None and await self.files.see(file):
            return
        data = await bytes_of(file)
        if data.lstrip()[:1] == b"{" and self.surveys is not None:
            await self.surveys.see(data)
        else:
            await self.classify.classify_picture(data)


async def open_page() -> None:
    """Open the page: what the first click needs at once, the rest after that."""
    browser.mark("lookdown:python")
    shared = await take_shared()
    notice, device, busy = Notice(), Browser(), Busy(browser)
    tasks = Tasks(notice.tell, browser.log)
    models = Models(ModelFiles(fetch_bytes, Onnx(), MODELS), device, device, browser)
    sources = begin(fetch_bytes(SOURCES, LIMIT_S))
    await models.read_list()
    imagery = ImageryPanel(sources_from_json((await sources).decode()), notice)
    address = AddressBar(imagery)
    ground_map = GroundMap("map", address.first_view)
    imagery.show_on(ground_map)
    square = Square(ground_map)
    address.keep(ground_map, square)
    history = History()
    square.on_put(
        lambda before: history.add("moving the square", lambda: square.cover(before), square)
    )
    ground = Ground(fetch_bytes, canvas.decode, browser, device.read().cache_bytes)
    classifier = Classifier(models, ground, browser)
    classify = Classify(classifier, models, square, imagery, ResultPanel(), notice, tasks, busy)
    backends = BackendPanel(models, ground, imagery.builtin, notice, tasks, busy)
    StoragePanel(device, tasks)
    choice = ModelChoice(MODELS, models, classify, notice, tasks, busy)
    SuitedModel(models, square, imagery, choice)
    Places(ground_map, square, imagery, classify)
    page = Page(
        tasks, busy, notice, history, ground_map, square, imagery, ground, models, choice,
        classifier, classify,
    )  # fmt: skip
    keys = Keys(
        [
            Key("Enter", "Classify what is in the square", page.enter),
            Key("Esc", "Cancel, close", page.escape),
            Key("C", "Bring the square to the centre of the map", square.bring_here),
            Key("F", "Let the square follow the map, or not", square.toggle_follow),
            Key("I", "Choose the imagery", imagery.toggle),
            Key("D", "This device: model, storage", backends.toggle),
            Key("Z", "Undo", history.undo),
        ]
    )
    loading = tasks.start(choice.load_first())
    close_start_screen()
    browser.mark("lookdown:interactive")
    await asyncio.wait((loading,), timeout=SURVEYS_AFTER_S)
    await _open_rest(page, keys)
    if shared is not None:
        await classify.classify_picture(shared)


async def _open_rest(page: Page, keys: Keys) -> None:
    """Build what is not needed for the first click; imported here, so that it costs no start."""
    from pyapp.bridge.database import Database
    from pyapp.ui.answer.explain import Steady, Why
    from pyapp.ui.device.release import ReleasePanel
    from pyapp.ui.ground.files import OwnFiles
    from pyapp.ui.ground.goto import GoTo
    from pyapp.ui.survey.alike import Alike, AlikePictures
    from pyapp.ui.survey.cells import Cells
    from pyapp.ui.survey.compare import Comparison
    from pyapp.ui.survey.draw import POLYGON, RECTANGLE
    from pyapp.ui.survey.files import SurveyFiles
    from pyapp.ui.survey.layer import SurveyLayer
    from pyapp.ui.survey.legend import Legend
    from pyapp.ui.survey.library import LibraryList
    from pyapp.ui.survey.panel import SurveyPanel
    from pyapp.ui.survey.plan import Plan
    from pyapp.work.library import Library
    from pyapp.work.search import Search
    from pyapp.work.session import SurveySession
    from pyapp.work.store import TABLES, Store

    tasks, notice, history, imagery = page.tasks, page.notice, page.history, page.imagery
    models, ground, classify, ground_map = page.models, page.ground, page.classify, page.ground_map
    store = Store(Database(SURVEYS, TABLES))
    library = Library(store)
    session = SurveySession(models, ground, store, browser, tasks, page.busy)
    layer = SurveyLayer(ground_map)
    plan = Plan(ground_map, imagery, models, layer, history, tasks)
    panel = SurveyPanel(plan, session, models, imagery, layer, notice, tasks)
    Legend(layer, Comparison(layer, library, tasks), history)
    listed = LibraryList(library, session, panel, layer, history, notice, tasks)
    cells = Cells(layer, page.square, classify, imagery, library, history, notice, tasks)
    why = Why(ground_map, classify)
    steady = Steady(classify, page.classifier, imagery)
    pictures = AlikePictures(imagery, ground, layer)
    search = Search(library, browser)
    alike = Alike(ground_map, layer, cells, classify, search, pictures, notice, tasks)
    files = SurveyFiles(panel, session, layer, notice)
    surveys = page.surveys = Surveys(plan, panel, cells, why, alike, files)
    page.square.on_click(surveys.clicked)
    going = GoTo(ground_map, page.square, imagery)
    keys.add(
        [
            Key("/", "Go to coordinates, a plus code or a link", going.ask),
            Key("Backspace", "Take back the last corner", plan.drawing.back),
            Key("S", "Survey: open or close", panel.toggle),
            Key("V", "Survey what the map shows", plan.take_view),
            Key("R", "Mark a rectangle to survey", lambda: plan.draw(RECTANGLE)),
            Key("P", "Mark a polygon to survey", lambda: plan.draw(POLYGON)),
            Key("G", "Start, pause or resume the survey", panel.press),
            Key("O", "Hide the survey's colours, or show them", layer.toggle),
            Key("E", "Save the survey as GeoJSON", lambda: files.save("geojson")),
            Key("W", "Why: what speaks for the class", why.toggle),
            Key("T", "Steady or not: five sizes", steady.ask),
            Key("M", "More like this", alike.find),
        ]
    )
    page.files = OwnFiles(ground_map, imagery, ground, notice, tasks)
    on_picture(lambda file: tasks.start(page.see(file)))
    tasks.start(listed.begin())
    kept = ReleasePanel(tasks, page.busy, session)
    kept.on_complete(lambda: tasks.start(page.choice.keep_used()))
    await kept.keep()
