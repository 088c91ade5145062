"""The parts of `pyapp.work`, joined as the page joins them, on fakes."""

import hashlib
import json

import numpy as np

from pyapp.core.ground.area import rectangle
from pyapp.core.ground.cut import Cut
from pyapp.core.ground.geo import Footprint, LngLat, moved
from pyapp.core.ground.grid import plan
from pyapp.core.imagery import mosaic
from pyapp.core.imagery.chip import cut
from pyapp.core.model.backend import Golden
from pyapp.core.survey.facts import ImageryFacts, ModelFacts
from pyapp.core.survey.survey import Survey
from pyapp.work.busy import Busy
from pyapp.work.classifier import Classifier
from pyapp.work.ground import Ground
from pyapp.work.library import Library
from pyapp.work.loading import ModelFiles
from pyapp.work.models import Models
from pyapp.work.search import Search
from pyapp.work.session import SurveySession
from pyapp.work.store import Store
from pyapp.work.tasks import Tasks
from tests.work.fakes import (
    FOLDER,
    SIDE_M,
    FakeClock,
    FakeFetch,
    FakeHardware,
    FakeRecords,
    FakeRuntime,
    FakeSettings,
    answers,
    card,
    card_text,
    decode,
    source,
    tile_bytes,
)

HERE = LngLat(85.52, 27.63)


class Parts:
    """Everything but the screen."""

    def __init__(self, names=("ours", "other"), hardware=None, settings=None, records=None):
        self.clock = FakeClock()
        self.fetch = FakeFetch(self._answer)
        self.runtime = FakeRuntime(self.clock)
        self.hardware = hardware or FakeHardware()
        self.settings = settings or FakeSettings()
        self.records = records or FakeRecords()
        self.told: list[str] = []
        self.logged: list[BaseException] = []
        self.tasks = Tasks(lambda error: self.told.append(str(error)), self.logged.append)
        self.busy = Busy(self.clock)
        self.files = ModelFiles(self.fetch, self.runtime, FOLDER)
        self.models = Models(self.files, self.hardware, self.settings, self.clock)
        self.ground = Ground(self.fetch, decode, self.clock, 8 << 20)
        self.classifier = Classifier(self.models, self.ground, self.clock)
        self.store = Store(self.records)
        self.library = Library(self.store)
        self.search = Search(self.library, self.clock)
        self.session = SurveySession(
            self.models, self.ground, self.store, self.clock, self.tasks, self.busy
        )
        self.names = names
        self.tile = tile_bytes
        # Answers in place of the usual ones, by address; an exception is raised.
        self.instead: dict = {}

    async def load(self, name=None):
        """Read the list of models and use one."""
        await self.models.read_list()
        await self.models.load_first(name)
        return self.models.runner

    def survey(self, east_m=800, north_m=400, at=HERE, imagery=None) -> Survey:
        """A survey of an area, with nothing classified yet."""
        area = rectangle(at, moved(at, east_m, -north_m))
        facts = ImageryFacts.of(imagery or source())
        return Survey(
            "s1", "Valley", "2026-11-24T12:00:00", area, plan(area, SIDE_M, 1.0),
            ModelFacts.of(card()), facts,
        )  # fmt: skip

    def _answer(self, url):
        if url in self.instead:
            return self.instead[url]
        if url == f"{FOLDER}/index.json":
            listed = [{"name": name, "title": name.title()} for name in self.names]
            return json.dumps({"default": self.names[0], "models": listed}).encode()
        if url.startswith(FOLDER):
            name, file = url.split("/")[1:]
            model = f"network of {name}".encode()
            if file == "card.json":
                sha256 = hashlib.sha256(model).hexdigest()
                return card_text(name, sha256=sha256).encode()
            if file == "golden.json":
                return self.golden().to_json().encode()
            return model
        return self.tile(url)

    def golden(self) -> Golden:
        """What the fake network says about three places."""
        places = [moved(HERE, 200 * step, 0) for step in range(3)]
        chips = []
        for place in places:
            recipe = Cut.of(Footprint(place, SIDE_M), source(), card().resolution_m)
            tiles = {each: mosaic.decode(tile_bytes(source().url_of(each)))
                     for each in recipe.tiles}  # fmt: skip
            chips.append(cut(tiles, recipe.box, 192))
        return Golden(places, answers(np.stack(chips))["probability"])
