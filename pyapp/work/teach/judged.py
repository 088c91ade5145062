"""Teaches from the judged squares of a check: reads their pictures, then a project takes them."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from pyapp.core.accuracy.check import Check
from pyapp.core.accuracy.errors import (
    NoSquareReadError,
    OtherSideError,
)
from pyapp.core.accuracy.examples import JudgedSquare, divide, with_judged
from pyapp.core.errors import (
    MissingTileError,
    OutsideImageryError,
)
from pyapp.core.imagery.source import Source
from pyapp.core.model.card import Card
from pyapp.core.survey.survey import Survey
from pyapp.core.teach.archive import to_png
from pyapp.core.teach.example import Example
from pyapp.core.teach.project import LONGEST_NAME, Project, digest_of
from pyapp.work.ground import Ground
from pyapp.work.teach.teacher import Teacher, new_project

# Sides that differ by less show the same ground.
SAME_SIDE = 0.01


@dataclass(frozen=True)
class Judgements:
    """What is taught from.

    Attributes
    ----------
    survey : Survey
    check : Check
    source : Source
        The survey's imagery.
    """

    survey: Survey
    check: Check
    source: Source


class Taken(NamedTuple):
    """What teaching from judgements came to.

    Attributes
    ----------
    project : Project
        With the squares, and in use.
    missing : int
        Squares that the imagery doesn't show any more, which were left out.
    """

    project: Project
    missing: int


@dataclass
class _Read:
    given: dict[JudgedSquare, Example] = field(default_factory=dict)
    pictures: dict[str, bytes] = field(default_factory=dict)
    missing: int = 0


def check_side(survey: Survey, card: Card) -> None:
    """Check that a model looks at squares as wide as a survey's.

    Raises
    ------
    OtherSideError
    """
    side_m = survey.grid.side_m
    if abs(side_m / card.footprint_m - 1) > SAME_SIDE:
        raise OtherSideError(side_m, card.title, card.footprint_m, survey.model.title)


def project_for(survey: Survey, taken: Collection[str]) -> Project:
    """An empty project for the squares of a survey, with a name that is not taken yet."""
    short = f"Judged: {survey.name}"[: LONGEST_NAME - 5].strip()
    names = (short + each for each in ("", *(f" {number}" for number in range(2, 10_000))))
    return new_project(next(each for each in names if each not in taken))


async def teach_from(
    judgements: Judgements,
    project: Project,
    teacher: Teacher,
    ground: Ground,
    card: Card,
    progress: Callable[[int, int], None],
) -> Taken:
    """Read the pictures of judged squares, and use a project that has them as examples.

    Cancelled or failed, nothing is changed.

    Parameters
    ----------
    judgements : Judgements
    project : Project
        That takes the squares: the one in use, or a new one.
    teacher : Teacher
    ground : Ground
    card : Card
        Of the model in use, for which the squares are cut.
    progress : callable taking int and int
        Called with how many are read, and how many there are.

    Raises
    ------
    TeachFromError, TeachError
    TileError
        If the imagery can't be read; a square that it doesn't show is left out.
    """
    check_side(judgements.survey, card)
    division = divide(judgements.check, judgements.survey, project)
    read = await _read(judgements, division.squares, ground, card, progress)
    if not read.given:
        raise NoSquareReadError(judgements.source.name)
    made = with_judged(project, judgements.check, judgements.survey, read.given)
    before = teacher.project
    if before.id != made.id and before.classes:
        # What was changed in it last may still be on its way to the store.
        await teacher.pictures.put(before)
    await teacher.pictures.keep(made.id, read.pictures)
    teacher.take(made)
    return Taken(made, read.missing)


async def _read(
    judgements: Judgements,
    squares: Sequence[JudgedSquare],
    ground: Ground,
    card: Card,
    progress: Callable[[int, int], None],
) -> _Read:
    read = _Read()
    for done, square in enumerate(squares):
        progress(done, len(squares))
        place = judgements.survey.grid.footprint(square.cell)
        try:
            chip = await ground.chip(judgements.source, place, card)
        except (MissingTileError, OutsideImageryError):
            read.missing += 1
            continue
        png = to_png(chip.pixels)
        sha256 = digest_of(png)
        read.pictures[sha256] = png
        read.given[square] = Example(
            sha256, square.label, len(chip.pixels), place, judgements.source.credit
        )
        await asyncio.sleep(0)
    return read
