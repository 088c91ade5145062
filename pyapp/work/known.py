"""Layers of services and pictures of catalogues that were used before."""

from pyapp.core.imagery.known import known_from_json, known_to_json
from pyapp.core.imagery.source import OWN_ID, Source
from pyapp.work.ports import Settings

NAME = "sources"


class KnownSources:
    """Remembered between visits, the last ones only; nothing is fetched for that.

    Parameters
    ----------
    settings : Settings
    """

    def __init__(self, settings: Settings):
        self._settings = settings

    def all(self) -> list[Source]:
        """The sources, in the order of their use."""
        return known_from_json(self._settings.recall(NAME))

    def holds(self, source: Source) -> bool:
        """Whether a source is one of a service, which can be forgotten."""
        return source.id.startswith(f"{OWN_ID}-")

    def note(self, source: Source) -> None:
        """Remember a source."""
        self.forget(source, source)

    def forget(self, source: Source, *instead: Source) -> None:
        """Remember a source no more."""
        others = [each for each in self.all() if each.id != source.id]
        self._settings.remember(NAME, known_to_json([*others, *instead]))
