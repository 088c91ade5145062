"""Files of one's own that were opened before, by handles that the browser keeps."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pyapp.work.ports import Records, RecordsRefusedError

TABLE = "files"
MOST = 8


@dataclass(frozen=True)
class EarlierFile:
    """A picture, and what lies beside it.

    Attributes
    ----------
    digest : str
        Of the picture.
    name : str
    handles : tuple
        Of the picture and its companions, as the browser gives them.
    epsg : int
        The coordinate system that the person said; 0 if they were not asked.
    """

    digest: str
    name: str
    handles: tuple[Any, ...]
    epsg: int = 0


class EarlierFiles:
    """The last files that were opened, newest first; empty where nothing can be stored.

    Parameters
    ----------
    records : Records
        With the table `TABLE`.
    """

    def __init__(self, records: Records):
        self._records = records

    async def all(self) -> list[EarlierFile]:
        """What was noted."""
        return [each for _, each in await self._noted()]

    async def note(self, file: EarlierFile) -> None:
        """Remember a file in place of what has its digest, and forget the oldest."""
        record = {
            "digest": file.digest, "name": file.name, "handles": list(file.handles),
            "epsg": file.epsg, "opened": datetime.now().isoformat(),
        }  # fmt: skip
        try:
            await self._records.put(TABLE, file.digest, record)
        except RecordsRefusedError:
            # Then it is chosen anew the next time.
            return
        for _, old in (await self._noted())[MOST:]:
            await self.forget(old.digest)

    async def forget(self, digest: str) -> None:
        """Remember a file no more."""
        try:
            await self._records.delete(TABLE, digest)
        except RecordsRefusedError:
            return

    async def _noted(self) -> Sequence[tuple[str, EarlierFile]]:
        try:
            records = await self._records.all(TABLE)
        except RecordsRefusedError:
            return []
        found = []
        for each in records:
            if each.get("handles") and isinstance(each.get("name"), str):
                file = EarlierFile(
                    str(each.get("digest")), each["name"], tuple(each["handles"]),
                    int(each.get("epsg") or 0),
                )  # fmt: skip
                found.append((str(each.get("opened")), file))
        return sorted(found, key=lambda pair: pair[0], reverse=True)
