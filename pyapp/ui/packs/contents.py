"""What goes along with the imagery of a pack, and where it goes on another device."""

import hashlib
from contextlib import suppress
from dataclasses import dataclass

from pyapp.core.errors import LookdownError, StoreError, SurveyRunningError
from pyapp.core.ground.geo import Bounds
from pyapp.core.pack.errors import ChangedPackError
from pyapp.core.pack.manifest import CARD, MODEL, PROJECT, SURVEY, Credit
from pyapp.core.survey.geojson import from_geojson, to_geojson
from pyapp.ui.device.own_model import ModelOpener
from pyapp.ui.teach.projects import ProjectFiles
from pyapp.work.kept import HeldArea
from pyapp.work.library import Library
from pyapp.work.loading import ModelFiles
from pyapp.work.models import Models
from pyapp.work.packs import Given, OpenPack, model_of
from pyapp.work.session import SurveySession


@dataclass
class PackContents:
    """The model in use, the surveys of the area, and the project in use."""

    models: Models
    files: ModelFiles
    opener: ModelOpener
    library: Library
    session: SurveySession
    projects: ProjectFiles

    async def gathered(self, held: HeldArea) -> tuple[list[Given], list[Credit]]:
        """What goes along with an area, and whose it is.

        Raises
        ------
        LookdownError
            If anything of it can't be read.
        """
        given: list[Given] = []
        credits: list[Credit] = []
        if self.models.runner is not None:
            model, whose = await model_of(self.files, self.models.runner.card)
            given += model
            credits.append(whose)
        for stored in self.library.stored:
            survey = await self.library.load(stored.id)
            if overlap(survey.area.bounds, held.area.bounds):
                number = sum(each.kind == SURVEY for each in given) + 1
                text = to_geojson(survey).encode()
                given.append(Given(f"surveys/{number}.geojson", SURVEY, survey.name, text))
        project = await self.projects.file()
        if project is not None:
            given.append(Given("project.zip", PROJECT, *project))
        return given, credits

    def check_free(self) -> None:
        """Check that nothing is under way that opening a pack would disturb.

        Raises
        ------
        SurveyRunningError
        """
        if self.session.goes_on:
            raise SurveyRunningError("open a pack")

    async def take(self, pack: OpenPack) -> None:
        """Use its model, list its surveys, and open its project.

        Raises
        ------
        LookdownError
            If a part, though unchanged, can't be used.
        """
        await self._take_model(pack)
        for part in pack.manifest.of_kind(SURVEY):
            # The same survey has the same id, however often its pack is opened.
            survey_id = part.sha256[:32]
            if survey_id in [each.id for each in self.library.stored]:
                continue
            try:
                survey = from_geojson((await pack.data(part)).decode())
            except UnicodeDecodeError as error:
                raise ChangedPackError("The pack", part.name, "is not text") from error
            survey.id = survey_id
            with suppress(StoreError):
                # What can't be stored is told by the session.
                await self.session.keep(survey)
        for part in pack.manifest.of_kind(PROJECT):
            if self.projects.teacher.project.id != part.sha256[:32]:
                await self.projects.take(await pack.data(part), part.sha256[:32])

    async def _take_model(self, pack: OpenPack) -> None:
        """Use the model of a pack: one that is here already is recognised by its hash."""
        parts = [*pack.manifest.of_kind(MODEL), *pack.manifest.of_kind(CARD)]
        if not parts:
            return
        file, card = parts
        runner = self.models.runner
        if runner is not None and runner.card.sha256 == file.sha256:
            return
        for each in self.models.listed:
            with suppress(LookdownError):
                if (await self.files.card(each.name)).sha256 == file.sha256:
                    await self.models.choose(each.name)
                    return
        own = self.opener.own
        data = await pack.data(file)
        assert hashlib.sha256(data).hexdigest() == file.sha256, "each part was checked"
        try:
            name = own.take((await pack.data(card)).decode(), data)
        except UnicodeDecodeError as error:
            raise ChangedPackError("The pack", card.name, "is not text") from error
        await self.opener.use(name, file.title)


def overlap(one: Bounds, other: Bounds) -> bool:
    """Whether two rectangles of ground share any.

    >>> overlap(Bounds(0, 0, 2, 2), Bounds(1, 1, 3, 3))
    True
    """
    across = one.west < other.east and other.west < one.east
    return across and one.south < other.north and other.south < one.north
