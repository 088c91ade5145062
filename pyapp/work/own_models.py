"""Models that a person opened: kept on the device, and found again by the file they came from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pyapp.core.errors import DamagedModelError, ModelError, WrongModelError
from pyapp.core.model.card import Card
from pyapp.core.model.foreign_errors import (
    ForeignModelError,
    LargeModelError,
    RefusedModelError,
    UnreachableModelError,
)
from pyapp.core.model.listing import ListedModel
from pyapp.work.ports import (
    Arrived,
    Fetch,
    Records,
    RecordsRefusedError,
    StatusError,
    UnreachableError,
)

if TYPE_CHECKING:
    from pyapp.core.model.about import About
    from pyapp.core.model.foreign import OnnxFile, Plain

# Table of the models, without their files, and table of these.
CARDS, FILES = "cards", "files"
TABLES = (CARDS, FILES)
PREFIX = "own-"
MOST_BYTES = 400 << 20
FETCH_LIMIT_S = 600.0
DAMAGED = (ValueError, KeyError, TypeError, AttributeError, OverflowError, ModelError)


@dataclass(frozen=True)
class Question:
    """A plain classifier that the person has to be asked about.

    Attributes
    ----------
    name : str
        Of the model.
    file_name : str
        As the person knows it.
    file : OnnxFile
    plain : Plain
    """

    name: str
    file_name: str
    file: OnnxFile
    plain: Plain


@dataclass(frozen=True)
class Opened:
    """A model that can be used: its card and its file."""

    card: Card
    data: bytes


class OwnModels:
    """The models of this device's own.

    Parameters
    ----------
    records : Records
    """

    def __init__(self, records: Records):
        self._records = records
        # Those of this visit, also if they could not be stored.
        self._opened: dict[str, Opened] = {}

    async def list(self) -> list[ListedModel]:
        """What is listed of them; damaged ones, and all if nothing can be read, are left out."""
        cards = {name: each.card for name, each in self._opened.items()}
        try:
            for record in await self._records.all(CARDS):
                try:
                    card = _card(record)
                except DAMAGED:
                    continue
                cards.setdefault(card.name, card)
        except RecordsRefusedError:
            pass
        return [listed_of(card) for card in cards.values()]

    async def card(self, name: str) -> Card:
        """The card of one.

        Raises
        ------
        ForeignModelError
        """
        if name in self._opened:
            return self._opened[name].card
        try:
            record = await self._records.get(CARDS, name)
            if record is not None:
                return _card(record)
        except (RecordsRefusedError, *DAMAGED) as error:
            raise _lost(name) from error
        raise _lost(name)

    async def data(self, name: str) -> bytes:
        """The file of one, as the runtime takes it.

        Raises
        ------
        ForeignModelError
        """
        if name in self._opened:
            return self._opened[name].data
        try:
            record = await self._records.get(FILES, name)
            if record is not None and isinstance(record["data"], bytes):
                return record["data"]
        except (RecordsRefusedError, KeyError) as error:
            raise _lost(name) from error
        raise _lost(name)

    async def look(self, file_name: str, data: bytes) -> str | Question:
        """Look at a file: the name of a model that can be chosen now, or what must be asked.

        Raises
        ------
        ForeignModelError, CardError
            If it can't be used.
        """
        # Not needed for the first screen, and by few later.
        from pyapp.core.model.foreign import card_of, plain_of, read_onnx

        sha256 = hashlib.sha256(data).hexdigest()
        name = name_of(sha256)
        if any(each.name == name for each in await self.list()):
            return name
        file = read_onnx(file_name, data)
        if not file.fits:
            return Question(name, file_name, file, plain_of(file_name, file))
        card = card_of(name, file, sha256, len(data), file_name)
        self._opened[name] = Opened(card, data)
        return name

    def take(self, card_text: str, data: bytes) -> str:
        """Take a model with its card, as a pack has them; its name.

        Raises
        ------
        CardError, DamagedModelError
        """
        sha256 = hashlib.sha256(data).hexdigest()
        name = name_of(sha256)
        try:
            facts = json.loads(card_text) | {"name": name}
        except (ValueError, TypeError, RecursionError) as error:
            raise DamagedModelError(name) from error
        card = Card.from_json(name, json.dumps(facts))
        if card.sha256 != sha256:
            raise DamagedModelError(name)
        self._opened[name] = Opened(card, data)
        return name

    def answer(self, question: Question, about: About) -> str:
        """Make a model of a plain classifier and what the person said; its name.

        Raises
        ------
        AboutModelError
        """
        from pyapp.core.model.plain import plain_card, wrapped

        about.check(question.plain)
        data = wrapped(question.file, question.plain, about)
        card = plain_card(question.name, about, data, question.plain.one_at_a_time)
        self._opened[question.name] = Opened(card, data)
        return question.name

    def is_new(self, name: str) -> bool:
        """Whether one was opened in this visit and is not stored."""
        return name in self._opened

    async def keep(self, name: str) -> None:
        """Store a model that was opened in this visit.

        Raises
        ------
        RecordsRefusedError
            It can be used until the page is closed.
        """
        opened = self._opened[name]
        await self._records.put(FILES, name, {"data": opened.data})
        await self._records.put(CARDS, name, {"card": opened.card.to_json()})
        # The runtime takes a copy, and one is enough.
        del self._opened[name]

    def drop(self, name: str) -> None:
        """Forget a model that turned out to be of no use."""
        self._opened.pop(name, None)

    async def remove(self, name: str) -> None:
        """Delete a model.

        Raises
        ------
        RecordsRefusedError
        """
        self.drop(name)
        await self._records.delete(CARDS, name)
        await self._records.delete(FILES, name)


def name_of(sha256: str) -> str:
    """The name of a model that a file gives.

    >>> name_of("0123456789abcdef" * 4)
    'own-0123456789abcdef'
    """
    return PREFIX + sha256[:16]


def is_own(name: str) -> bool:
    """Whether a model is one that a person opened."""
    return name.startswith(PREFIX)


def is_model(file_name: str) -> bool:
    """Whether a file is a model by its name; ONNX has no mark of its own."""
    return file_name.lower().endswith(".onnx")


def listed_of(card: Card) -> ListedModel:
    """What the list says of one."""
    return ListedModel(
        card.name, card.title, "", card.footprint_m, card.resolution_m, len(card.labels),
        card.size_bytes or None, card.licence, card.use,
    )  # fmt: skip


def why_refused(file_name: str, error: ModelError) -> ModelError:
    """Why a model of one's own was not used, as the person should read it."""
    if isinstance(error, DamagedModelError):
        reason = str(error.__cause__ or "it does not parse").strip().splitlines()[0][:200]
        return RefusedModelError(file_name, reason.rstrip("."))
    if isinstance(error, WrongModelError):
        return ForeignModelError(file_name, error.reason)
    return error


async def fetch_model(fetch: Fetch, address: str, arrived: Arrived) -> bytes:
    """A model at an address.

    Raises
    ------
    UnreachableModelError, LargeModelError
    """
    parts = urlsplit(address)
    name = parts.path.rpartition("/")[2] or parts.netloc

    def count(size: int) -> None:
        if size > MOST_BYTES:
            raise LargeModelError(name, MOST_BYTES)
        arrived(size)

    try:
        return await fetch(address, FETCH_LIMIT_S, False, count)
    except (StatusError, UnreachableError, TimeoutError) as error:
        raise UnreachableModelError(name, parts.netloc or "the address") from error


def _card(record: Mapping[str, Any]) -> Card:
    text = record["card"]
    return Card.from_json(str(json.loads(text)["name"]), text)


def _lost(name: str) -> ForeignModelError:
    return ForeignModelError(name, "it is no longer kept on this device", "Open its file again.")
