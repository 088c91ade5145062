"""The surveys that are stored on the device: listed, opened, renamed, deleted."""

from collections.abc import Callable
from contextlib import suppress

from pyapp.core.errors import StoreError
from pyapp.core.survey.survey import Survey
from pyapp.work.store import Store, StoredSurvey


class Library:
    """What is stored, as it was read last.

    Parameters
    ----------
    store : Store

    Attributes
    ----------
    stored : list of StoredSurvey
        The newest first, without those deleted during this visit.
    """

    def __init__(self, store: Store):
        self._store = store
        self._deleted: set[str] = set()
        self._asked = 0
        self._shown = 0
        self._on_change: list[Callable[[], object]] = []
        self.stored: list[StoredSurvey] = []

    def on_change(self, handler: Callable[[], object]) -> None:
        """Call ``handler()`` after the list was read again."""
        self._on_change.append(handler)

    async def open(self) -> StoredSurvey | None:
        """Read the list for the first time; the newest survey that is not done yet, if any."""
        with suppress(StoreError):
            await self._store.sweep()
        await self.refresh()
        return next((each for each in self.stored if each.done < each.cells), None)

    async def refresh(self) -> None:
        """Read the list again; an older reading that ends later is ignored."""
        self._asked += 1
        asked = self._asked
        try:
            found = await self._store.list()
        except StoreError:
            # That is told when there is something to store.
            found = []
        if asked < self._shown:
            return
        self._shown = asked
        self.stored = [each for each in found if each.id not in self._deleted]
        for handler in self._on_change:
            handler()

    async def load(self, survey_id: str) -> Survey:
        """A stored survey.

        Raises
        ------
        StoreError
        """
        return await self._store.load(survey_id)

    async def rename(self, survey: Survey, name: str) -> None:
        """Call a survey by another name.

        Raises
        ------
        StoreError
        """
        survey.name = name
        await self.keep(survey)

    async def keep(self, survey: Survey) -> None:
        """Store changed facts of a survey, if it is one that is stored.

        Raises
        ------
        StoreError
        """
        try:
            if survey.id in [each.id for each in self.stored]:
                await self._store.put(survey)
        finally:
            await self.refresh()

    async def delete(self, survey_id: str) -> None:
        """Delete a survey; `restore` brings it back until the page is closed.

        Raises
        ------
        StoreError
        """
        self._deleted.add(survey_id)
        await self._mark(survey_id, True)

    async def restore(self, survey_id: str) -> None:
        """Bring a deleted survey back.

        Raises
        ------
        StoreError
        """
        self._deleted.discard(survey_id)
        await self._mark(survey_id, False)

    async def _mark(self, survey_id: str, deleted: bool) -> None:
        try:
            await self._store.mark(survey_id, deleted)
        finally:
            await self.refresh()
