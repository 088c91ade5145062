"""The one door to the test pictures: every opening is written down, and the report tells of it.

Whoever measures on the test pictures, changes something and measures again has begun to choose by
the test. So nothing else in training reads these pictures, and nobody reads them unnoted.
"""

import datetime
import json
from pathlib import Path
from typing import NamedTuple, TypedDict

from training.errors import TrainingError
from training.files import write_text
from training.pictures import data, dataset, project
from training.pictures.data import Pictures
from training.run import OPENINGS_FILE
from training.settings import Settings

# The subject of an opening for the file that the page will get.
SHIPPED = "shipped file"


class Opening(TypedDict):
    """One opening, as ``test-opened.json`` and the report hold it.

    ``date`` is ISO 8601 in UTC, ``sha256`` identifies what was measured.
    """

    date: str
    subject: str
    sha256: str


class Door(NamedTuple):
    """What stands between a run and the test pictures.

    Attributes
    ----------
    run : Path
        The run that an opening is noted in.
    subject : str
        What is measured: `SHIPPED`, or a network that is only compared with others.
    sha256 : str
        Hexadecimal digest of what is measured: of its file, or of its recipe if the network is
        yet to be trained.
    """

    run: Path
    subject: str
    sha256: str

    def test_pictures(self, folder: Path, names: tuple[str, ...], settings: Settings) -> Pictures:
        """Note the opening, then read the pictures that nothing may be chosen by.

        Parameters
        ----------
        folder : Path
            The data; a file is a project of the Teach room.
        names : tuple of str
            The classes that were trained.
        settings : Settings

        Raises
        ------
        TrainingError
            If the pictures can't be read, or are not of these classes.
        """
        self._note()
        if folder.is_file():
            return project.read(folder).part(project.TEST_FOLD)
        place = dataset.first_folder(folder, settings)
        own = data.has_own_test(place)
        found = data.read(place / data.TEST_FOLDER if own else place)
        if not own:
            found = data.split(found, settings.split.test, settings.split.seed)[1]
        found = dataset.as_classes(found, folder, settings)
        data.check_names(place, found.names, names)
        return found

    def all_pictures(self, folder: Path) -> Pictures:
        """Note the opening, then read all pictures: for other splits, with other networks.

        Raises
        ------
        TrainingError
            If the pictures can't be read.
        """
        self._note()
        if not data.has_own_test(folder):
            return data.read(folder)
        training = data.read(folder / data.TRAIN_FOLDER)
        return training.joined(data.read(folder / data.TEST_FOLDER, training.names))

    def _note(self) -> None:
        now = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
        opening = Opening(date=now, subject=self.subject, sha256=self.sha256)
        text = json.dumps([*openings(self.run), opening], indent=1)
        write_text(self.run / OPENINGS_FILE, text)


def openings(run: Path) -> list[Opening]:
    """The openings noted in a run, the earliest first."""
    note = run / OPENINGS_FILE
    found: list[Opening] = json.loads(note.read_text()) if note.exists() else []
    return found


def was_measured(run: Path, sha256: str, again: bool) -> bool:
    """Whether the test pictures were opened for the shipped file of this hash, and no other.

    Parameters
    ----------
    run : Path
    sha256 : str
    again : bool
        Allow another file to have been measured before.

    Raises
    ------
    TrainingError
        If they were opened for another shipped file of this run, unless ``again`` is set.
    """
    shipped = [each for each in openings(run) if each["subject"] == SHIPPED]
    others = [each for each in shipped if each["sha256"] != sha256]
    if others and not again:
        raise TrainingError(
            f"The test pictures were opened on {others[-1]['date']} for another file of this run. "
            "To measure a changed file on them is to choose by the test. Train under a new --name, "
            "or add --again; the report will mention it."
        )
    return bool(shipped) and not others
