"""Our own Python that the first screen doesn't need: fetched when it is first used."""

import asyncio
import importlib
import io
import zipfile
from pathlib import Path

from pyapp.bridge import browser
from pyapp.bridge.http import fetch_bytes
from pyapp.core.errors import MissingPartError
from pyapp.work.ports import StatusError, UnreachableError

ARCHIVE = "./later.zip"
LIMIT_S = 30.0
# The folder that holds `pyapp`.
HOME = Path(__file__).parents[2]


class Later:
    """What the build left out of the first download; once there, it is there for all."""

    _is_there = False

    async def fetch(self) -> None:
        """Make it importable.

        Raises
        ------
        MissingPartError
            If it doesn't arrive.
        """
        if Later._is_there:
            return
        try:
            data = await fetch_bytes(browser.absolute(ARCHIVE), LIMIT_S)
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                for each in archive.infolist():
                    archive.extract(each, HOME)
                    # All at once, it would keep a phone busy for long.
                    await asyncio.sleep(0)
        except (StatusError, UnreachableError, TimeoutError, zipfile.BadZipFile) as error:
            raise MissingPartError from error
        importlib.invalidate_caches()
        Later._is_there = True
