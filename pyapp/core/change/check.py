"""A comparison that is checked: squares that a person judged on both dates, and what follows."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from pyapp.core.accuracy.estimate import Estimate, Figure, Tally, estimate
from pyapp.core.accuracy.sample import allocate, draw
from pyapp.core.change.change import Change, Outcome
from pyapp.core.survey.facts import as_whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMAT = "lookdown change check 1"
MOST_SEED = 2**31 - 1
# For squares that can't be judged: there is no imagery of one of the dates.
NO_STRATUM = -1


class Said(IntEnum):
    """What a person says of a square on both dates."""

    CANT_TELL = -1
    AS_SAID = 0
    OTHERWISE = 1
    NOT_CHANGED = 2


@dataclass
class ChangeCheck:
    """A stratified random sample of a comparison's squares, and the judgements.

    Strata are what is said of the squares: each transition, the same, and can't be told.

    Attributes
    ----------
    seed : int
    sample : list of int
        Cells, in the order of judging.
    judgements : dict of int to Said
        By cell, in the order of judging.
    """

    seed: int
    sample: list[int]
    judgements: dict[int, Said] = field(default_factory=dict)

    @property
    def left(self) -> list[int]:
        """Cells that are still to be judged."""
        return [each for each in self.sample if each not in self.judgements]

    def take_back(self) -> int | None:
        """Forget the last judgement; its cell, or ``None`` if there is none."""
        return self.judgements.popitem()[0] if self.judgements else None

    def to_json(self) -> str:
        """What `from_json` reads."""
        said = [[cell, int(each)] for cell, each in self.judgements.items()]
        return json.dumps(
            {"format": FORMAT, "seed": self.seed, "sample": self.sample, "judgements": said}
        )

    @classmethod
    def from_json(cls, text: str, change: Change) -> ChangeCheck | None:
        """The check of which `to_json` gave the text; ``None`` if it doesn't fit the comparison."""
        cells = len(change.outcome)
        try:
            facts = json.loads(text)
            sample = [as_whole(each, 0, cells - 1) for each in facts["sample"]]
            judgements = {
                as_whole(cell, 0, cells - 1): Said(said) for cell, said in facts["judgements"]
            }
            fits = facts["format"] == FORMAT and judgements.keys() <= set(sample)
            return cls(as_whole(facts["seed"], 0, MOST_SEED), sample, judgements) if fits else None
        except (ValueError, TypeError, KeyError, AttributeError):
            return None


@dataclass(frozen=True)
class ChangeFindings:
    """What the judgements say so far.

    Attributes
    ----------
    judged, unclear : int
        Squares of which the person could tell, and couldn't.
    changed : Figure
        Area that has changed, in hectares.
    called_right : Figure or None
        Share of the area called changed that has changed as it is said; ``None`` if no such square
        was judged.
    transitions : dict of (int, int) to Figure
        Area of each transition that is said, in hectares.
    """

    judged: int
    unclear: int
    changed: Figure
    called_right: Figure | None
    transitions: dict[tuple[int, int], Figure]


def strata_of(change: Change) -> tuple[list[tuple[int, int]], NDArray[np.int64]]:
    """The transitions, and the number of each square's stratum, shape (N,).

    Strata are the transitions, in their order, then squares that are the same, then those of which
    it can't be told.
    """
    pairs = [(each.before, each.after) for each in change.transitions()]
    number = {pair: place for place, pair in enumerate(pairs)}
    strata = np.full(len(change.outcome), len(pairs) + 1, np.int64)
    strata[change.outcome == Outcome.SAME] = len(pairs)
    strata[change.outcome == Outcome.NO_IMAGERY] = NO_STRATUM
    for cell in change.changed():
        before, after = change.nodes[cell].tolist()
        strata[cell] = number[before, after]
    return pairs, strata


def begin(change: Change, total: int, seed: int) -> ChangeCheck:
    """Draw a sample: ten squares of each stratum, if it has so many, and the rest by size."""
    pairs, strata = strata_of(change)
    sizes = np.bincount(strata[strata >= 0], minlength=len(pairs) + 2)
    return ChangeCheck(seed, draw(strata, allocate(sizes.tolist(), total), seed))


def find(change: Change, check: ChangeCheck) -> ChangeFindings | None:
    """Estimate what has changed as in Olofsson et al. (2014); ``None`` before the first judgement.

    The ground of a square is one of the transitions, if a person confirms it; another change; or
    none. Squares of which the person couldn't tell are taken to be like the others of their
    stratum.
    """
    pairs, strata = strata_of(change)
    count, classes = len(pairs) + 2, len(pairs) + 2
    hectares = change.before.grid.hectares
    inside = strata >= 0
    counts = np.zeros((count, count, classes), np.int64)
    unclear = np.zeros(count, np.int64)
    for cell, said in check.judgements.items():
        stratum = int(strata[cell])
        if stratum < 0:
            continue
        if said == Said.CANT_TELL:
            unclear[stratum] += 1
        else:
            counts[stratum, stratum, _ground(stratum, said, len(pairs))] += 1
    right = np.eye(count, classes, dtype=bool)
    # Of the same, that nothing changed is right; of what can't be told, nothing is.
    right[len(pairs) :] = False
    right[len(pairs), classes - 1] = True
    tally = Tally(
        np.bincount(strata[inside], minlength=count),
        np.asarray(np.bincount(strata[inside], hectares[inside], count), np.float64),
        counts, unclear, right,
    )  # fmt: skip
    found = estimate(tally)
    if found is None:
        return None
    return ChangeFindings(
        judged=int(counts.sum()),
        unclear=int(unclear.sum()),
        changed=_rest(found, float(tally.hectares[tally.judged > 0].sum())),
        called_right=_called_right(tally, len(pairs)),
        transitions=dict(zip(pairs, found.areas[: len(pairs)], strict=True)),
    )


def to_facts(change: Change, check: ChangeCheck, found: ChangeFindings | None) -> dict[str, Any]:
    """The sample, the judgements and the figures that `find` gave, for a file."""
    tree = change.before.model.tree
    facts: dict[str, Any] = json.loads(check.to_json())
    facts["judgements"] = [
        [cell, each.name.lower().replace("_", " ")] for cell, each in check.judgements.items()
    ]
    if found is not None:
        facts["changed_ha"] = found.changed._asdict()
        facts["called_right"] = found.called_right and found.called_right._asdict()
        facts["transitions_ha"] = [
            {"before": tree.nodes[before].name, "after": tree.nodes[after].name} | figure._asdict()
            for (before, after), figure in found.transitions.items()
        ]
    return facts


def _ground(stratum: int, said: Said, transitions: int) -> int:
    """Which class of the ground a judgement means."""
    if said == Said.NOT_CHANGED:
        return transitions + 1
    return stratum if said == Said.AS_SAID and stratum < transitions else transitions


def _rest(found: Estimate, hectares: float) -> Figure:
    """All but what has not changed."""
    same = found.areas[-1]
    return Figure(hectares - same.value, same.standard_error, hectares - same.high,
                  hectares - same.low, same.method)  # fmt: skip


def _called_right(tally: Tally, transitions: int) -> Figure | None:
    """User's accuracy of all that is called changed, as one answer of the map."""
    called = slice(0, transitions)
    if not tally.counts[called].sum():
        return None
    counts = np.zeros((transitions, 1, 2), np.int64)
    counts[:, 0, 0] = [tally.counts[each, each, each] for each in range(transitions)]
    counts[:, 0, 1] = tally.counts[called].sum((1, 2)) - counts[:, 0, 0]
    alone = Tally(tally.squares[called], tally.hectares[called], counts, tally.unclear[called],
                  np.array([[True, False]]))  # fmt: skip
    found = estimate(alone)
    return None if found is None else found.overall
