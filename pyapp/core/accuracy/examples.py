"""Judged squares as examples to teach from, with a part that is kept aside.

A model can't be checked on squares that it learned from. So about a third of the judged squares
of each class is drawn at random and kept aside, to judge what was learned from the others; see
`core.teach.aside`.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from pyapp.core.accuracy.check import CANT_TELL, Check, ground_name, grounds
from pyapp.core.accuracy.errors import (
    AllTaughtError,
    FewJudgedError,
    MixedLevelsError,
    NothingToldError,
    OneClassError,
)
from pyapp.core.accuracy.sample import draw
from pyapp.core.survey.learned import cells_over
from pyapp.core.survey.survey import Survey
from pyapp.core.teach.example import Example, Judged
from pyapp.core.teach.folds import GAP, within_reach
from pyapp.core.teach.judge import FEWEST
from pyapp.core.teach.project import LONGEST_NAME, Project

# One in so many squares of a class is kept aside, if it has so many.
ONE_IN = 3
# With these, enough are left to say by cross-validation as well how good the layer is.
FEWEST_JUDGED = FEWEST * ONE_IN // (ONE_IN - 1)


class JudgedSquare(NamedTuple):
    """A square to teach from.

    Attributes
    ----------
    cell : int
    label : str
        What the person said that it is.
    aside : bool
        Whether it is kept aside.
    """

    cell: int
    label: str
    aside: bool


class Division(NamedTuple):
    """The judged squares of a check, divided.

    Attributes
    ----------
    squares : tuple of JudgedSquare
        New ones, those kept aside first.
    unclear : int
        Squares of which the person couldn't tell.
    known : int
        Squares that show ground of examples which the project has already.
    none_aside : tuple of str
        Classes with too few squares to keep one aside.
    overlapping : int
        Squares kept aside that overlap one to learn from, so they will say nothing; there are some
        if the survey's squares overlap.
    """

    squares: tuple[JudgedSquare, ...]
    unclear: int
    known: int
    none_aside: tuple[str, ...]
    overlapping: int

    @property
    def aside(self) -> int:
        """How many are kept aside."""
        return sum(each.aside for each in self.squares)


def divide(check: Check, survey: Survey, project: Project) -> Division:
    """Divide judged squares into those to learn from and those to keep aside.

    What the project has of this check already stays where it is. Ground that other examples of it
    show is left out: such squares would not be new, and could not judge it.

    Parameters
    ----------
    check : Check
    survey : Survey
        That is checked.
    project : Project
        That takes the squares; it may be empty.

    Raises
    ------
    NothingToldError, AllTaughtError, FewJudgedError, OneClassError
    MixedLevelsError
        If a class of the project holds a class that was judged, or is in one.
    """
    told = {cell: said for cell, said in check.judgements.items() if said != CANT_TELL}
    if not told:
        raise NothingToldError
    _check_levels(survey, set(told.values()), project)
    labels = {said: _spelt(ground_name(survey, said), project) for said in set(told.values())}
    before = {survey.grid.number_at(each.place.centre): each
              for each in _of_check(project, check, survey) if each.place is not None}  # fmt: skip
    others = [each.place for each in project.examples if each.place is not None
              and each.sha256 not in {one.sha256 for one in before.values()}]  # fmt: skip
    covered = set(cells_over(survey.grid, others)) - before.keys()
    new = {cell: labels[said] for cell, said in told.items()
           if cell not in before and cell not in covered}  # fmt: skip
    there = Counter(new.values()) + Counter(each.label for each in before.values())
    if not new:
        raise AllTaughtError(project.name)
    if sum(there.values()) < FEWEST_JUDGED:
        raise FewJudgedError(sum(there.values()), FEWEST_JUDGED)
    if len({*there, *project.taught}) == 1:
        raise OneClassError(next(iter(there)))
    aside_before = Counter(each.label for each in before.values() if each.aside)
    wanted = {each: max(_part(there[each]) - aside_before[each], 0) for each in there}
    aside = _drawn(check, new, wanted)
    squares = [JudgedSquare(cell, label, cell in aside) for cell, label in new.items()]
    kept = aside_before + Counter(each.label for each in squares if each.aside)
    return Division(
        squares=tuple(sorted(squares, key=lambda each: not each.aside)),
        unclear=len(check.judgements) - len(told),
        known=sum(cell in covered for cell in told),
        none_aside=tuple(each for each in there if not kept[each]),
        overlapping=_overlapping(survey, squares),
    )


def _overlapping(survey: Survey, squares: Iterable[JudgedSquare]) -> int:
    """How many squares kept aside overlap one to learn from."""
    if survey.grid.step >= 1:
        return 0
    aside, fitted = (
        [survey.grid.footprint(each.cell) for each in squares if each.aside == which]
        for which in (True, False)
    )
    return int(within_reach(aside, fitted, 1 - GAP).any(1).sum())


def _part(count: int) -> int:
    """How many of a class's squares are kept aside.

    >>> [_part(each) for each in (1, 2, 3, 4, 5, 30)]
    [0, 0, 1, 1, 2, 10]
    """
    return round(count / ONE_IN) if count >= ONE_IN else 0


def _drawn(check: Check, labels: Mapping[int, str], wanted: Mapping[str, int]) -> set[int]:
    """Cells to keep aside: so many of each class, at random, and the same whenever it is asked."""
    names = list(wanted)
    class_of = np.full(len(check.stratum_of), -1, np.int64)
    for cell, label in labels.items():
        class_of[cell] = names.index(label)
    # Another order than that of the sample, in which squares of small strata come later.
    seed = hashlib.sha256(f"{check.seed}:aside".encode()).digest()
    counts = [wanted[each] for each in names]
    return set(draw(class_of, counts, int.from_bytes(seed[:4], "big")))


def _check_levels(survey: Survey, said: Iterable[int], project: Project) -> None:
    tree = survey.model.tree
    there = {each.casefold(): each for each in project.classes}
    for judged in said:
        for node in tree.nodes if judged >= 0 else ():
            label = there.get(node.name.casefold())
            nested = tree.is_inside(node.id, judged) or tree.is_inside(judged, node.id)
            if label is not None and nested and node.id != judged:
                raise MixedLevelsError(project.name, label, tree.nodes[judged].name)


def _spelt(name: str, project: Project) -> str:
    """The name of a class, as the project has it if it has it."""
    short = " ".join(name.split())[:LONGEST_NAME].strip()
    there = {each.casefold(): each for each in project.classes}
    return there.get(short.casefold(), short)


def name_of_check(check: Check, survey: Survey) -> str:
    """By what `Judged` knows a sample of a survey."""
    return f"{survey.id}:{check.seed}"


def _of_check(project: Project, check: Check, survey: Survey) -> list[Example]:
    name = name_of_check(check, survey)
    return [each for each in project.examples
            if each.judged is not None and each.judged.check == name]  # fmt: skip


def with_judged(
    project: Project,
    check: Check,
    survey: Survey,
    given: Mapping[JudgedSquare, Example],
) -> Project:
    """A project with judged squares as examples.

    Parameters
    ----------
    project : Project
    check : Check
    survey : Survey
    given : mapping of JudgedSquare to Example
        Their pictures, without `Example.judged`; one that is there already, or that looks the same
        to the bit as another, is not taken again.

    Raises
    ------
    FullProjectError, ClassNameError
    """
    named = {square.label for square in given} - set(project.classes)
    for said in grounds(survey, check.by):
        label = _spelt(ground_name(survey, said), project)
        if label in named and label not in project.classes:
            project = project.with_class(label)
    there = {each.sha256 for each in project.examples}
    new: dict[str, tuple[JudgedSquare, Example]] = {}
    for square, example in given.items():
        if example.sha256 not in there:
            new.setdefault(example.sha256, (square, example))
    before = {each.sha256: survey.grid.number_at(each.place.centre)
              for each in _of_check(project, check, survey) if each.place is not None}  # fmt: skip
    cells = [*(square.cell for square, _ in new.values()), *before.values()]
    hectares = _hectares(check, [each for each in cells if each is not None])
    name = name_of_check(check, survey)
    examples = [
        example._replace(
            label=square.label,
            judged=Judged(name, survey.name, hectares[square.cell], square.aside),
        )
        for square, example in new.values()
    ]
    return project.with_examples(examples).rejudged(
        {
            sha256: hectares[cell]
            for sha256, cell in before.items()
            if cell is not None and cell in hectares
        }
    )


def _hectares(check: Check, cells: Iterable[int]) -> dict[int, float]:
    """Ground that each judged square stands for: that of its stratum, shared among them."""
    counts = Counter(int(check.stratum_of[cell]) for cell in cells)
    return {
        cell: check.strata[stratum].hectares / counts[stratum]
        for cell in cells
        for stratum in [int(check.stratum_of[cell])]
        if stratum < len(check.strata)
    }
