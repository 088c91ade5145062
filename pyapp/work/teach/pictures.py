"""The examples of the project in use as pictures and as embeddings of the network in use."""

import asyncio
from collections.abc import Callable

import numpy as np

from pyapp.core.errors import ProjectStoreError
from pyapp.core.imagery.chip import resample
from pyapp.core.imagery.mosaic import UndecodableError
from pyapp.core.model.prediction import EMBEDDING
from pyapp.core.teach.archive import from_png
from pyapp.core.teach.project import Project
from pyapp.work.runner import Runner
from pyapp.work.teach.store import ProjectStore

# Chips that the network sees at a time.
BATCH = 4


class Pictures:
    """Pictures and embeddings, read from the store when they are wanted.

    What can't be stored is kept here until the page is closed.

    Parameters
    ----------
    store : ProjectStore
    tell : callable taking ProjectStoreError
        Called once for each project that can't be stored.
    """

    def __init__(self, store: ProjectStore, tell: Callable[[ProjectStoreError], None]):
        self._store = store
        self._tell = tell
        self._refused: set[str] = set()
        self._pictures: dict[str, bytes] = {}
        self._embeddings: dict[tuple[str, str], np.ndarray] = {}

    async def put(self, project: Project) -> None:
        """Store the facts of a project; if that is refused, it is told."""
        try:
            await self._store.put(project)
            self._refused.discard(project.id)
        except ProjectStoreError as error:
            self._refuse(project.id, error)

    async def keep(self, project_id: str, pictures: dict[str, bytes]) -> None:
        """Store new pictures; if that is refused, it is told, and they are kept here."""
        try:
            await self._store.put_pictures(project_id, pictures)
        except ProjectStoreError as error:
            self._pictures |= pictures
            self._refuse(project_id, error)

    async def picture(self, project: Project, sha256: str) -> bytes:
        """The PNG file of an example.

        Raises
        ------
        ProjectStoreError
            If it is gone.
        """
        png = self._pictures.get(sha256) or await self._store.picture(project.id, sha256)
        if png is None:
            raise ProjectStoreError("a picture of it is gone from this device")
        return png

    async def pictures(self, project: Project) -> dict[str, bytes]:
        """All PNG files of a project; raises as `picture` does."""
        return {each.sha256: await self.picture(project, each.sha256) for each in project.examples}

    async def embeddings(
        self, project: Project, runner: Runner, progress: Callable[[int, int], None]
    ) -> dict[str, np.ndarray]:
        """Embeddings of all examples, float32 of shape (D,), by their sha256.

        Those that are not known yet are made of the pictures.

        Parameters
        ----------
        project : Project
        runner : Runner
            Of the network.
        progress : callable taking int and int
            Called with how many are made, and how many have to be.

        Raises
        ------
        ProjectStoreError
            If a picture is gone.
        InferenceError
        """
        network = runner.card.sha256
        wanted = [each.sha256 for each in project.examples]
        missing = [each for each in wanted if (network, each) not in self._embeddings]
        if missing:
            for sha256, values in (await self._stored(project.id, network, missing)).items():
                self._embeddings[network, sha256] = values
        missing = [each for each in missing if (network, each) not in self._embeddings]
        for start in range(0, len(missing), BATCH):
            progress(start, len(missing))
            await self._embed(project, runner, missing[start : start + BATCH])
        return {each: self._embeddings[network, each] for each in wanted}

    def note(self, network: str, sha256: str, embedding: np.ndarray) -> None:
        """Take an embedding that is known already, float32 of shape (D,)."""
        self._embeddings[network, sha256] = embedding.astype(np.float32)

    async def _embed(self, project: Project, runner: Runner, some: list[str]) -> None:
        side = runner.card.chip_px
        chips = []
        for each in some:
            try:
                pixels = from_png(await self.picture(project, each))
            except UndecodableError as error:
                raise ProjectStoreError("a picture of it is damaged on this device") from error
            chips.append(pixels if pixels.shape[0] == side else resample(pixels, side))
            await asyncio.sleep(0)
        found = (await runner.run(np.stack(chips)))[EMBEDDING]
        made = {sha256: values.copy() for sha256, values in zip(some, found, strict=True)}
        network = runner.card.sha256
        for sha256, values in made.items():
            self._embeddings[network, sha256] = values
        try:
            await self._store.put_embeddings(project.id, network, made)
        except ProjectStoreError as error:
            self._refuse(project.id, error)

    async def _stored(
        self, project_id: str, network: str, wanted: list[str]
    ) -> dict[str, np.ndarray]:
        try:
            return await self._store.embeddings(project_id, network, wanted)
        except ProjectStoreError:
            # They can be made again.
            return {}

    def _refuse(self, project_id: str, error: ProjectStoreError) -> None:
        if project_id not in self._refused:
            self._refused.add(project_id)
            self._tell(error)
