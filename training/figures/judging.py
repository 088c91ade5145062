"""Figures of a model on sources that it never learned from, and on the one that it learned from."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypedDict

import numpy as np
from numpy.typing import NDArray

from pyapp.core.model.tree import NOT_SURE, Level, Levels, Tree
from training.figures import calibrate
from training.figures.levels import NEVER, Judged, LevelFigures, equal_weights, fit, judge, pooled
from training.figures.recorded import Recorded
from training.pictures.sources import Source

# Answers named for a label, the commonest first.
MOST_NAMED = 3

# By level, or ANY; of each, the fields of LevelFigures.
Figures = dict[str, dict[str, float]]


class ModelFacts(NamedTuple):
    """What a card says of its model: digest of the file, and what was fitted at home.

    Attributes
    ----------
    sha256 : str
    threshold : float
        Probability from which a class was the answer.
    familiar : float
        Largest logit from which a chip is called familiar.
    """

    sha256: str
    threshold: float
    familiar: float


class Direction(TypedDict):
    """Figures of one source, by thresholds fitted on others only."""

    fitted_on: list[str]
    levels: dict[str, float]
    images: int
    figures: Figures


class LabelFigures(TypedDict):
    """Answers for one label; ``wrong`` are the commonest wrong ones, each with its number."""

    images: int
    answered: float
    right: float | None
    wrong: dict[str, int]


class LeftOut(TypedDict):
    """Why a label is not judged by, and what is answered for it: the commonest, with numbers."""

    reason: str
    images: int
    answered: float
    answers: dict[str, int]


class Familiar(TypedDict):
    """Whether two scores are higher for right answers than for wrong ones.

    ``logit`` and ``probability`` are areas under the ROC curve: of the largest logit, which
    "familiar" goes by, and of the probability of the answer itself. ``of_right`` and ``of_wrong``
    are the shares of right and wrong answers that are called familiar.
    """

    logit: float
    probability: float
    of_right: float
    of_wrong: float


class SourceFigures(TypedDict):
    """Figures of one source, by the thresholds for the page unless they say otherwise.

    ``side`` is the share of a picture's side that was used. ``without_tree`` has answers by class
    alone, with the threshold that was fitted at home; ``best_class_right`` is the share of
    pictures of labels that allow a class whose most probable class is right. Reliability and
    familiarity are of the most probable node of a level, whatever its threshold.
    """

    title: str
    credit: str
    citation: str
    licence: str
    side: float
    images: int
    labels: int
    twins: int
    without_tree: dict[str, float]
    best_class_right: float
    reliability: dict[str, list[calibrate.Bin]]
    familiar: dict[str, Familiar | None]
    by_label: dict[str, LabelFigures]
    left_out: dict[str, LeftOut]


class Home(TypedDict):
    """Figures on validation pictures of the source that the network learned from."""

    images: int
    figures: Figures
    without_tree: dict[str, float]
    best_class_right: float


class Abroad(TypedDict):
    """What ``abroad.json`` holds; ``model`` is the digest of its file."""

    date: str
    model: str
    wanted: float
    levels: dict[str, float]
    fitted_on: list[str]
    fitted: Figures
    directions: dict[str, Direction]
    sources: dict[str, SourceFigures]
    home: Home


@dataclass(frozen=True)
class Visited:
    """A source, what the model says of it, and which of its pictures count.

    Attributes
    ----------
    source : Source
    recorded : Recorded
    twins : ndarray of bool, shape (N,)
        Pictures that the network learned from, or that an earlier source has too.
    unshared : frozenset of str
        Labels of which the network, which left this source out, learned no class elsewhere.
    """

    source: Source
    recorded: Recorded
    twins: NDArray[np.bool_]
    unshared: frozenset[str] = frozenset()

    @property
    def unjudged(self) -> dict[str, str]:
        """Labels that are not judged by, each with the reason."""
        reasons = dict.fromkeys(self.unshared, "no other source shows any of its classes")
        return reasons | self.source.meaning.unjudged

    @property
    def counts(self) -> NDArray[np.bool_]:
        """Pictures to judge by, shape (N,): no twins, and none of a label that is not judged."""
        judged = np.array([each not in self.unjudged for each in self.source.labels])
        counted: NDArray[np.bool_] = judged[self.recorded.labels] & ~self.twins
        return counted

    def judged(self) -> Judged:
        """The pictures that count, every label the same."""
        labels = self.recorded.labels[self.counts]
        return Judged(
            self.recorded.probability[self.counts],
            self.source.right[labels],
            equal_weights(labels),
        )


def measure(
    visited: Sequence[Visited], home: Judged, tree: Tree, wanted: float, model: ModelFacts
) -> Abroad:
    """Everything that is said of a model abroad, and of it at home by the same thresholds.

    Parameters
    ----------
    visited : sequence of Visited
        The sources that the network never learned from.
    home : Judged
        Pictures of the source that it learned from.
    tree : Tree
    wanted : float
        Share of right answers; see `fit`.
    model : ModelFacts
    """
    judged = {each.source.name: each.judged() for each in visited}
    together = pooled(judged.values())
    levels = fit(tree, together, wanted)
    return Abroad(
        date=max(each.recorded.date for each in visited),
        model=model.sha256,
        wanted=wanted,
        levels=levels.to_json(),
        fitted_on=list(judged),
        fitted=_as_facts(judge(tree, together, levels)),
        directions={
            name: direction(judged, name, tree, wanted) for name in judged if len(judged) > 1
        },
        sources={each.source.name: source_figures(each, tree, levels, model) for each in visited},
        home=Home(
            images=len(home.weight),
            figures=_as_facts(judge(tree, home, levels)),
            without_tree=_without_tree(tree, home, model.threshold),
            best_class_right=best_class_right(home),
        ),
    )


def direction(judged: Mapping[str, Judged], name: str, tree: Tree, wanted: float) -> Direction:
    """One source judged with thresholds that were fitted on all the others."""
    others = [each for each in judged if each != name]
    levels = fit(tree, pooled(judged[each] for each in others), wanted)
    return Direction(
        fitted_on=others,
        levels=levels.to_json(),
        images=len(judged[name].weight),
        figures=_as_facts(judge(tree, judged[name], levels)),
    )


def _as_facts(figures: dict[str, LevelFigures]) -> Figures:
    """Figures as JSON holds them, rounded to four digits."""
    return {name: _facts_of(each) for name, each in figures.items()}


def _facts_of(figures: LevelFigures) -> dict[str, float]:
    facts = {name: round(value, 4) for name, value in figures._asdict().items()}
    return facts if figures.answers else {"answers": 0, "share": 0.0}


def best_class_right(chips: Judged) -> float:
    """Share of the chips whose best class is right, of those for which a class is; by weight."""
    classes = chips.right[:, : chips.probability.shape[1]]
    some = classes.any(1)
    best = classes[some, chips.probability[some].argmax(1)]
    return round(float(chips.weight[some][best].sum() / max(chips.weight[some].sum(), 1e-12)), 4)


def _without_tree(tree: Tree, chips: Judged, threshold: float) -> dict[str, float]:
    """Figures of answers by class alone."""
    only = Levels(NEVER, NEVER, threshold)
    return _facts_of(judge(tree, chips, only)[Level.CLASS.label])


def source_figures(
    visited: Visited, tree: Tree, levels: Levels, model: ModelFacts
) -> SourceFigures:
    """Figures of one source, by the thresholds for the page."""
    source, recorded, counts = visited.source, visited.recorded, visited.counts
    description, chips = source.description, visited.judged()
    answers = tree.answers(recorded.probability, levels)
    leaders = tree.leaders(chips.probability)
    every = np.arange(len(chips.weight))
    reliability: dict[str, list[calibrate.Bin]] = {}
    familiar: dict[str, Familiar | None] = {}
    for rank, level in ((0, Level.TOP), (-1, Level.CLASS)):
        probability = leaders.probability[:, rank]
        right = chips.right[every, leaders.nodes[:, rank]]
        reliability[level.label] = calibrate.bins(probability, right)
        familiar[level.label] = _familiar(
            recorded.familiar[counts], probability, right, model.familiar
        )
    by_label: dict[str, LabelFigures] = {}
    left_out: dict[str, LeftOut] = {}
    for number, label in enumerate(source.labels):
        here = recorded.labels == number
        if label not in visited.unjudged:
            by_label[label] = _label_figures(answers[here & counts], source.right[number], tree)
        else:
            left_out[label] = LeftOut(
                reason=visited.unjudged[label],
                images=int(here.sum()),
                answered=round(float((answers[here] != NOT_SURE).sum() / max(here.sum(), 1)), 4),
                answers=_named(answers[here], tree),
            )
    return SourceFigures(
        title=description.title,
        credit=description.credit,
        citation=description.citation,
        licence=description.licence,
        side=round(visited.recorded.side, 4),
        images=len(chips.weight),
        labels=len(by_label),
        twins=int(visited.twins.sum()),
        without_tree=_without_tree(tree, chips, model.threshold),
        best_class_right=best_class_right(chips),
        reliability=reliability,
        familiar=familiar,
        by_label=by_label,
        left_out=left_out,
    )


def _familiar(
    logit: NDArray[np.float32],
    probability: NDArray[np.float64],
    right: NDArray[np.bool_],
    familiar_from: float,
) -> Familiar | None:
    """``None`` if all answers are right, or all are wrong."""
    if right.all() or not right.any():
        return None
    known = logit >= familiar_from
    return Familiar(
        logit=round(calibrate.separation(logit[right], logit[~right]), 4),
        probability=round(calibrate.separation(probability[right], probability[~right]), 4),
        of_right=round(float(known[right].mean()), 4),
        of_wrong=round(float(known[~right].mean()), 4),
    )


def _label_figures(
    answers: NDArray[np.int64], right: NDArray[np.bool_], tree: Tree
) -> LabelFigures:
    given = answers[answers != NOT_SURE]
    return LabelFigures(
        images=len(answers),
        answered=round(len(given) / max(len(answers), 1), 4),
        right=round(float(right[given].mean()), 4) if len(given) else None,
        wrong=_named(given[~right[given]], tree),
    )


def _named(answers: NDArray[np.int64], tree: Tree) -> dict[str, int]:
    """The commonest answers by name, with their numbers."""
    given = answers[answers != NOT_SURE].tolist()
    return {tree.nodes[each].name: n for each, n in Counter(given).most_common(MOST_NAMED)}
