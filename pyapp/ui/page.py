"""Builds the parts of the page and joins them: the one place that knows them all."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pyapp.bridge import browser, canvas
from pyapp.bridge.device import Browser
from pyapp.bridge.http import fetch_bytes
from pyapp.bridge.leaflet import Draw, GroundMap
from pyapp.bridge.onnx import Onnx
from pyapp.bridge.pictures import bytes_of, head_of, is_text_or_zip, on_files, take_shared
from pyapp.bridge.turns import Turns
from pyapp.core.address import model_from, survey_from
from pyapp.core.errors import MissingPartError
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
from pyapp.work.gently import Pauses, import_all, modules_below
from pyapp.work.ground import Ground
from pyapp.work.known import KnownSources
from pyapp.work.loading import ModelFiles
from pyapp.work.models import Models
from pyapp.work.own_models import OwnModels, is_model, is_own
from pyapp.work.tasks import Tasks, begin

if TYPE_CHECKING:
    from pyapp.ui.answer.explain import Why
    from pyapp.ui.device.own_model import ModelOpener
    from pyapp.ui.ground.files import OwnFiles
    from pyapp.ui.ground.given import GivenFiles
    from pyapp.ui.packs.files import PackFiles
    from pyapp.ui.pictures.room import PictureRoom
    from pyapp.ui.survey.alike import Alike
    from pyapp.ui.survey.cells import Cells
    from pyapp.ui.survey.change import ChangePanel
    from pyapp.ui.survey.check import CheckPanel
    from pyapp.ui.survey.large import LargePanel
    from pyapp.ui.survey.layer import SurveyLayer
    from pyapp.ui.survey.panel import SurveyPanel
    from pyapp.ui.survey.plan import Plan
    from pyapp.ui.survey.report import ReportFiles
    from pyapp.ui.teach.projects import ProjectFiles, Projects
    from pyapp.ui.teach.room import TeachRoom
    from pyapp.work.library import Library
    from pyapp.work.pyramid import LargeSurvey
    from pyapp.work.session import SurveySession
    from pyapp.work.store import Store

T = TypeVar("T")
PYAPP = Path(__file__).parents[1]
# Each imports only those before it.
LAYERS = ("core", "work", "bridge", "ui")
# What of that comes later and has much to import.
PACKS = ("core/imagery", "core/pack", "ui/packs")
# Imported while the runtime opens the model. Pillow would take those of pictures all at once, with
# the first one; the last two, of rasters, are much for one of the pauses that follow.
DECODERS = ("PIL.ImageFile", "PIL.BmpImagePlugin", "PIL.JpegImagePlugin", "PIL.PpmImagePlugin",
            "PIL.PngImagePlugin", "PIL.WebPImagePlugin", "fractions",
            "PIL.TiffImagePlugin")  # fmt: skip
MODELS = "models"
SOURCES = "imagery/sources.json"
SURVEYS = "lookdown surveys"
PROJECTS = "lookdown projects"
FILES = "lookdown files"
OWN_MODELS = "lookdown models"
ZIP = b"PK\x03\x04"
PLOTS = "lookdown plots"
AREAS = "lookdown areas"
LIMIT_S = 30.0
# Surveys are not wanted in the first second, so they are built once a model is there, or not
# much later.
SURVEYS_AFTER_S = 10.0


@dataclass
class Surveys:
    """The parts of surveys, which are built after the first screen."""

    plan: "Plan"
    panel: "SurveyPanel"
    layer: "SurveyLayer"
    cells: "Cells"
    why: "Why"
    alike: "Alike"
    given: "GivenFiles"
    room: "TeachRoom"
    project_files: "ProjectFiles"
    change: "ChangePanel | None" = None
    large: "LargePanel | None" = None

    def close(self) -> None:
        """Close what is open."""
        self.panel.close()
        self.room.close()
        self.given.plots.fold()
        self.why.hide()
        self.alike.clear()

    def toggle_colours(self) -> None:
        """Hide the colours of what lies on the map, or show them."""
        if self.large is None or not self.large.toggle():
            self.layer.toggle()

    def clicked(self, place: LngLat) -> bool:
        """Whether a click on the map meant something else than putting the square there."""
        if self.plan.drawing.goes_on or self.room.clicked(place):
            return True
        if self.change is not None and self.change.clicked(place):
            return True
        if self.large is not None and self.large.clicked(place):
            return True
        return self.cells.open_at(place)


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
    model_files: ModelFiles
    classifier: Classifier
    classify: Classify
    known: KnownSources
    surveys: Surveys | None = None
    files: "OwnFiles | None" = None
    pictures: "PictureRoom | None" = None
    opener: "ModelOpener | None" = None
    packs: "PackFiles | None" = None
    # Set once there is something to open files with.
    is_whole: asyncio.Event = field(default_factory=asyncio.Event)

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

    async def see(self, given: list[Any]) -> None:
        """Look at files that were given to the page: imagery, what was saved here, or pictures.

        Given early, they wait until the page is whole.
        """
        if self.choice.short_of_memory:
            self.notice.say(
                "This device has too little memory to open files here: the page can only show the "
                "map. Close other tabs and reload it."
            )
            return
        await self.is_whole.wait()
        if self.files is not None and await self.files.see(given):
            return
        await self.see_other(given)

    async def see_other(self, given: list[Any]) -> None:
        """Look at files that are no imagery: what was saved here, or pictures.

        While the room to teach is open, pictures are examples.
        """
        if self.opener is not None and is_model(given[0].name):
            await self.opener.open_file(given[0])
            return
        head = await head_of(given[0])
        if self.packs is not None and self.packs.knows(head):
            await self.packs.open(given[0])
            return
        if self.surveys is not None and is_text_or_zip(head):
            data = await bytes_of(given[0])
            if await self.surveys.given.see(data, given[0].name):
                return
            if data.startswith(ZIP):
                await self.surveys.project_files.see(data)
                return
        if self.surveys is not None and self.surveys.room.is_open:
            await self.surveys.project_files.add(given)
        elif self.pictures is not None:
            await self.pictures.open(given)


async def open_page() -> None:
    """Open the page: what the first click needs at once, the rest after that."""
    browser.mark("lookdown:python")
    Turns(asyncio.get_running_loop()).take()
    shared = await take_shared()
    notice, device, busy = Notice(), Browser(), Busy(browser)
    tasks = Tasks(notice.tell, browser.log)
    files = ModelFiles(fetch_bytes, Onnx(), MODELS)
    models = Models(files, device, device, browser)
    if is_own(model_from(browser.query()) or ""):
        files.own = _own_models()
    sources = begin(fetch_bytes(SOURCES, LIMIT_S))
    await models.read_list()
    if models.listed:
        files.ask_ahead(models.first(model_from(browser.query())).name)
    known = KnownSources(device)
    listed = [*sources_from_json((await sources).decode()), *known.all()]
    imagery = ImageryPanel(listed, notice)
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
        tasks, busy, notice, history, ground_map, square, imagery, ground, models, choice, files,
        classifier, classify, known,
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
    on_files(lambda given: tasks.start(page.see(given)))
    files.on_opening(lambda: tasks.start(import_all(DECODERS, Pauses(browser))))
    loading = tasks.start(choice.load_first())
    close_start_screen()
    browser.mark("lookdown:interactive")
    await asyncio.wait((loading,), timeout=SURVEYS_AFTER_S)
    if choice.short_of_memory:
        return
    await _open_rest(page, keys, Pauses(browser))
    if shared is not None and page.pictures is not None:
        await page.pictures.open_bytes("Shared picture", shared)


async def _open_rest(page: Page, keys: Keys, pauses: Pauses) -> None:
    """Build what is not needed for the first click; imported here, so that it costs no start.

    There are pauses, since on a phone it takes a second, in which nobody may have to wait.
    """
    await import_all(modules_below(PYAPP, LAYERS), pauses)
    from pyapp.bridge.database import Database
    from pyapp.ui.answer.explain import Steady, Why
    from pyapp.ui.answer.second import AskAnother
    from pyapp.ui.device.release import ReleasePanel
    from pyapp.ui.ground.aerial import AerialPictures
    from pyapp.ui.ground.earlier import EarlierList
    from pyapp.ui.ground.files import OwnFiles
    from pyapp.ui.ground.given import GivenFiles
    from pyapp.ui.ground.goto import GoTo
    from pyapp.ui.ground.here import WhereAmI
    from pyapp.ui.ground.services import ServicePanel, ShownSources
    from pyapp.ui.plots.panel import PlotPanel
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
    from pyapp.work import plots as plots_work
    from pyapp.work.library import Library
    from pyapp.work.opinion import SecondOpinion
    from pyapp.work.remembered import TABLE, EarlierFiles
    from pyapp.work.search import Search
    from pyapp.work.services import Services
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
    opinion = SecondOpinion(models, page.model_files, ground, browser)
    another = AskAnother(opinion, ground_map, page.square, classify, imagery, MODELS)
    pictures = AlikePictures(imagery, ground, layer)
    search = Search(library, browser)
    alike = Alike(ground_map, layer, cells, classify, search, pictures, notice, tasks)
    files = SurveyFiles(panel, session, layer, notice)
    await pauses.pause()
    room, projects, project_files, teaching = _open_teach(page, plan, layer, session)
    await pauses.pause()
    plot_store = plots_work.PlotStore(Database(PLOTS, plots_work.TABLES))
    plot_session = plots_work.PlotSession(models, ground, plot_store, browser, tasks, page.busy)
    plots = PlotPanel(
        ground_map, page.square, classify, imagery, models, plot_session, plot_store, history,
        notice, tasks,
    )  # fmt: skip
    given = GivenFiles(plan, plots, files, notice, lambda file: tasks.start(page.see([file])))
    surveys = page.surveys = Surveys(
        plan, panel, layer, cells, why, alike, given, room, project_files
    )
    here = WhereAmI(ground_map, page.square, notice)
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
            Key("O", "Hide the survey's colours, or show them", surveys.toggle_colours),
            Key("E", "Save the survey as GeoJSON", lambda: files.save("geojson")),
            Key("W", "Why: what speaks for the class", why.toggle),
            Key("T", "Steady or not: five sizes", steady.ask),
            Key("M", "More like this", alike.find),
            Key("X", "Ask another model about the same place", another.toggle),
            *teaching,
            Key("H", "Where am I; again to follow, again to end", here.press),
            Key("B", "Plots: open or close", plots.toggle),
            Key("K", "Check the survey", _open_check(page, keys, panel, store, projects)),
            Key("Y", "Report: save the survey's report", _open_report(page, panel, store)),
            Key(
                "J",
                "What changed: compare two dates",
                _open_change(page, keys, panel, library),
            ),
        ]
    )
    await pauses.pause()
    page.files = OwnFiles(ground_map, imagery, ground, notice, tasks)
    page.files.on_large(_open_large(page, panel, layer))
    services = Services(fetch_bytes, browser, ground)
    shown = ShownSources(ground_map, imagery, services, page.known, notice, tasks)
    ServicePanel(ground_map, imagery, services, shown, tasks)
    AerialPictures(ground_map, services, shown, tasks)
    page.files.on_picture(lambda file: tasks.start(page.see_other([file])))
    await pauses.pause()
    earlier = EarlierList(page.files, EarlierFiles(Database(FILES, (TABLE,))), tasks)
    tasks.start(earlier.show())
    page.pictures = _open_pictures(page)
    page.opener = _open_opener(page)
    tasks.start(_open_packs(page, keys, library, session))
    keys.add([Key("U", "Look at pictures of your own", page.pictures.choose)])
    page.is_whole.set()
    browser.set_whole()
    if survey_from(browser.query()) is not None:
        from pyapp.ui.ground.linked import LinkedSurvey

        tasks.start(LinkedSurvey(page.files, tasks).open())
    tasks.start(listed.begin())
    tasks.start(plots.begin())
    kept = ReleasePanel(tasks, page.busy, (session, plot_session))
    kept.on_complete(lambda: tasks.start(page.choice.keep_used()))
    await kept.keep()


def _built_once(build: Callable[[], T]) -> Callable[[], Awaitable[T]]:
    """What gives a part that is not in the first download, and is built when it is wanted."""
    from pyapp.bridge.later import Later

    built: list[T] = []

    async def get() -> T:
        await Later().fetch()
        if not built:
            built.append(build())
        return built[0]

    return get


def _open_check(
    page: Page, keys: Keys, panel: "SurveyPanel", store: "Store", projects: "Projects"
) -> Callable[[], None]:
    """What opens the check of a survey."""
    from pyscript import web

    from pyapp.ui.shell.dom import on

    def build() -> "CheckPanel":
        from pyapp.ui.survey.check import CheckPanel
        from pyapp.ui.survey.check_teach import TeachFrom
        from pyapp.ui.survey.judging import Judging

        assert page.surveys is not None, "it is built before"
        teach = TeachFrom(projects, page.surveys.room, page.models, page.ground, keys)
        judging = Judging(keys, page.tasks)
        return CheckPanel(panel, judging, page.ground, store, page.history, teach)

    check = _built_once(build)

    async def open_it() -> None:
        (await check()).toggle()

    def press() -> None:
        page.tasks.start(open_it())

    on("click", web.page["check"], press)
    return press


def _open_large(
    page: Page, panel: "SurveyPanel", layer: "SurveyLayer"
) -> "Callable[[], Awaitable[Callable[[LargeSurvey, Draw], None]]]":
    """What shows surveys that are too large to be opened whole."""

    def build() -> "LargePanel":
        from pyapp.ui.survey.large import LargePanel

        return LargePanel(
            page.ground_map, page.square, panel, layer, page.classify, page.imagery.find,
            page.imagery.pick, page.tasks,
        )  # fmt: skip

    large = _built_once(build)

    async def get() -> "Callable[[LargeSurvey, Draw], None]":
        assert page.surveys is not None, "it is built before"
        page.surveys.large = await large()
        return page.surveys.large.show

    return get


def _open_change(
    page: Page, keys: Keys, panel: "SurveyPanel", library: "Library"
) -> Callable[[], None]:
    """What opens the comparison of two dates."""
    from pyscript import web

    from pyapp.ui.shell.dom import on

    def build() -> "ChangePanel":
        from pyapp.ui.survey.change import ChangePanel

        return ChangePanel(
            page.ground_map, panel, library, page.classifier, page.ground, page.busy, keys,
            Browser(), page.history,
        )  # fmt: skip

    change = _built_once(build)

    async def open_it() -> None:
        assert page.surveys is not None, "it is built before"
        page.surveys.change = await change()
        page.surveys.change.toggle()

    def press() -> None:
        page.tasks.start(open_it())

    on("click", web.page["change"], press)
    return press


def _open_report(page: Page, panel: "SurveyPanel", store: "Store") -> Callable[[], None]:
    """What saves the report of a survey."""
    from pyscript import web

    from pyapp.ui.shell.dom import on

    def build() -> "ReportFiles":
        from pyapp.ui.survey.report import ReportFiles

        return ReportFiles(panel, page.ground, store)

    reports = _built_once(build)

    async def save(kind: str) -> None:
        await (await reports()).save(kind)

    def press(kind: str) -> None:
        page.tasks.start(save(kind))

    for kind in ("html", "json"):
        on("click", web.page[f"report-{kind}"], partial(press, kind))
    return partial(press, "html")


def _open_teach(
    page: Page, plan: "Plan", layer: "SurveyLayer", session: "SurveySession"
) -> "tuple[TeachRoom, Projects, ProjectFiles, list[Key]]":
    """Build the room to teach; its keys are bound with the others."""
    from pyapp.bridge.database import Database
    from pyapp.ui.teach.answers import Answers
    from pyapp.ui.teach.examples import ExamplePictures, Examples
    from pyapp.ui.teach.figures import Figures
    from pyapp.ui.teach.fits import FitCheck
    from pyapp.ui.teach.kinds import Kinds
    from pyapp.ui.teach.projects import ProjectFiles, Projects
    from pyapp.ui.teach.room import Giving, TeachRoom
    from pyapp.ui.teach.suggestions import Suggestions
    from pyapp.work.teach.pictures import Pictures
    from pyapp.work.teach.probe import Probe
    from pyapp.work.teach.store import TABLES, ProjectStore
    from pyapp.work.teach.teacher import Teacher

    tasks, notice, models, ground = page.tasks, page.notice, page.models, page.ground
    store = ProjectStore(Database(PROJECTS, TABLES))
    teacher = Teacher(models, page.model_files, Pictures(store, notice.tell), browser, tasks)
    giving = Giving(teacher, models, ground, page.imagery, page.history, notice, tasks)
    room = TeachRoom(teacher, giving, page.ground_map, page.square, layer, models, notice)
    Kinds(room, teacher, giving, models)
    pictures = ExamplePictures(teacher, tasks)
    examples = Examples(room, teacher, giving, pictures, page.ground_map, page.square)
    Figures(teacher, examples, pictures)
    Answers(teacher, models, page.classify, layer, session, tasks)
    fits = FitCheck(Probe(models, ground), plan, models, page.busy, tasks)
    suggestions = Suggestions(
        room, teacher, giving, models, layer, fits, page.ground_map, notice, tasks
    )
    projects = Projects(store, teacher, giving, notice, tasks)
    files = ProjectFiles(room, teacher, giving, models, page.model_files, notice, tasks)
    tasks.start(projects.begin())
    keys = [
        Key("L", "Teach: open or close", room.toggle),
        Key("N", "Teach: find squares to label", suggestions.find),
        Key("1", "Teach: give the square the class of that number", lambda: room.key(1), "1-9"),
        *(Key(str(each), "", partial(room.key, each)) for each in range(2, 10)),
        Key("0", "Teach: skip the square to label", suggestions.skip),
    ]
    return room, projects, files, keys


def _open_pictures(page: Page) -> "PictureRoom":
    """Build what looks at pictures of one's own."""
    from pyapp.ui.pictures.room import PictureRoom
    from pyapp.ui.pictures.view import PictureView
    from pyapp.work.pictures import Pictures

    view = PictureView(page.ground_map, page.square, page.classify, page.history)
    pictures = Pictures(page.ground, page.classifier)
    return PictureRoom(
        view, pictures, page.ground, page.classify, page.imagery, page.notice, page.tasks, page.busy
    )


def _own_models() -> OwnModels:
    """The models that the person opened in an earlier visit."""
    from pyapp.bridge.database import Database
    from pyapp.work.own_models import TABLES

    return OwnModels(Database(OWN_MODELS, TABLES))


async def _open_packs(page: Page, keys: Keys, library: "Library", session: "SurveySession") -> None:
    """Build what keeps areas and opens packs, which is not part of the first download."""
    from pyapp.bridge.database import Database
    from pyapp.bridge.later import Later

    try:
        await Later().fetch()
    except MissingPartError:
        # Without it, nothing of this is offered.
        return
    await import_all(modules_below(PYAPP, PACKS), Pauses(browser))
    from pyapp.ui.packs.contents import PackContents
    from pyapp.ui.packs.files import PackFiles
    from pyapp.ui.packs.keep import KeepPlan
    from pyapp.ui.packs.kept import KeptDrawing, KeptList
    from pyapp.work.keeper import Keeper
    from pyapp.work.kept import TABLES, KeptAreas
    from pyapp.work.packs import Unpacker

    tasks, notice, imagery, ground_map = page.tasks, page.notice, page.imagery, page.ground_map
    assert page.surveys is not None and page.opener is not None, "they are built before"
    areas = KeptAreas(Database(AREAS, TABLES))
    page.ground.look_first(areas.tile)
    keeper = Keeper(areas, page.ground, browser, tasks)
    KeptDrawing(page.ground, areas, imagery)
    listed = KeptList(ground_map, imagery, areas, keeper, notice, tasks)
    contents = PackContents(
        page.models, page.model_files, page.opener, library, session, page.surveys.project_files
    )
    page.packs = PackFiles(areas, listed, contents, Unpacker(areas), notice, tasks)
    plan = KeepPlan(ground_map, imagery, page.models, page.surveys.plan, areas, keeper, tasks)
    keys.add([Key("A", "Keep this area for where there is no network", plan.open)])
    await listed.begin()


def _open_opener(page: Page) -> "ModelOpener":
    """Build what opens models from elsewhere, and list those of earlier visits."""
    from pyapp.ui.device.own_model import AboutForm, ModelOpener

    own = page.model_files.own = page.model_files.own or _own_models()
    opener = ModelOpener(
        own,
        page.models,
        page.choice,
        AboutForm(page.tasks),
        fetch_bytes,
        page.notice,
        page.tasks,
        page.busy,
    )
    page.tasks.start(opener.begin())
    return opener
