"""How often the 95 % intervals of a checked survey hold the truth, in simulated surveys.

Each survey has 10,000 squares of 4 to 12 of the shipped model's classes; a quarter of the classes
have 1 % of the squares each. Answers go wrong as the test pictures of the model did
(models/world/report.json): exactly as often (`PRINTED`); or, as ten pictures of a class say little,
as often as ten such pictures allow, drawn anew for each survey from their Dirichlet posterior
(`PLAUSIBLE`); or one in ten is wrong, whatever the class (`EVEN`). Then 300 squares are drawn, at
least 20 of each stratum, and judged without error.
"""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pyapp.core.accuracy.estimate import Figure, Tally, estimate
from pyapp.core.accuracy.sample import allocate

REPORT = Path(__file__).resolve().parents[2] / "models" / "world" / "report.json"
PRINTED, PLAUSIBLE, EVEN = "as printed", "as the test pictures allow", "one in ten"
SQUARES, JUDGED, LEAST = 10_000, 300, 20
CLASSES, RARE = (4, 12), 0.01


class Cover(NamedTuple):
    """How many intervals there were, how many held the truth, and how wide they were."""

    held: int
    count: int
    width: float

    @property
    def share(self) -> float:
        """Share that held it."""
        return self.held / self.count


def simulate(world: str, surveys: int, seed: int) -> dict[str, tuple[Cover, Cover]]:
    """Simulate surveys.

    Parameters
    ----------
    world : str
        `PRINTED`, `PLAUSIBLE` or `EVEN`.
    surveys : int
    seed : int

    Returns
    -------
    dict of str to tuple of Cover
        By what is estimated: of these intervals, and of value plus or minus 1.96 standard errors.
    """
    confusion = np.array(json.loads(REPORT.read_text())["confusion"], float)
    chance = np.random.default_rng(seed)
    found: dict[str, list[list[tuple[bool, float]]]] = {}
    for _ in range(surveys):
        for what, figure, truth in _survey(confusion, world, chance):
            half = figure.half_width
            ours, usual = found.setdefault(what, [[], []])
            for all_, low, high in (
                (ours, figure.low, figure.high),
                (usual, figure.value - half, figure.value + half),
            ):
                all_.append((low - 1e-9 <= truth <= high + 1e-9, high - low))
    return {what: (_cover(ours), _cover(usual)) for what, (ours, usual) in sorted(found.items())}


def _cover(found: list[tuple[bool, float]]) -> Cover:
    width = sum(each for _, each in found) / len(found)
    return Cover(sum(held for held, _ in found), len(found), width)


def _survey(
    confusion: np.ndarray, world: str, chance: np.random.Generator
) -> list[tuple[str, Figure, float]]:
    """What is estimated of one survey, with the truth."""
    count = int(chance.integers(CLASSES[0], CLASSES[1] + 1))
    classes = chance.choice(np.flatnonzero(confusion.sum(1)), count, replace=False)
    rows = confusion[np.ix_(classes, classes)]
    if world == PLAUSIBLE:
        rows = np.array([chance.dirichlet(each + 1 / count) for each in rows])
    elif world == EVEN:
        rows = 0.9 * np.eye(count) + 0.1 / (count - 1) * (1 - np.eye(count))
    rows = rows / rows.sum(1, keepdims=True)
    rare = count // 4
    common = np.maximum(chance.dirichlet(np.full(count - rare, 2.0)), 0.02)
    shares = np.append(common / common.sum() * (1 - RARE * rare), np.full(rare, RARE))
    truth = np.zeros((count, count), np.int64)
    for k, squares in enumerate(chance.multinomial(SQUARES, shares)):
        truth[:, k] = chance.multinomial(squares, rows[k])
    there = np.flatnonzero(truth.sum(1))
    sizes = truth.sum(1)[there]
    judged = allocate(sizes.tolist(), JUDGED, least=LEAST)
    counts = np.zeros((len(there), count, count), np.int64)
    for h, (i, size) in enumerate(zip(there, judged, strict=True)):
        counts[h, i] = chance.multivariate_hypergeometric(truth[i], size)
    result = estimate(
        Tally(sizes, sizes.astype(float), counts, np.zeros(len(there), np.int64),
              np.eye(count, dtype=bool))
    )  # fmt: skip
    assert result is not None
    right, ground = truth.diagonal(), truth.sum(0)
    rows_said = [("overall accuracy", result.overall, right.sum() / SQUARES)]
    for k in range(count):
        kind = "rare classes" if k >= count - rare else "other classes"
        rows_said.append((f"area, {kind}", result.areas[k].times(1 / SQUARES), ground[k] / SQUARES))
        if result.users[k] is not None:
            rows_said.append((f"user's accuracy, {kind}", result.users[k],
                              right[k] / truth[k].sum()))  # fmt: skip
        if result.producers[k] is not None:
            rows_said.append((f"producer's accuracy, {kind}", result.producers[k],
                              right[k] / ground[k]))  # fmt: skip
    return rows_said


def table(surveys: int) -> str:
    """The measurement as a table in Markdown."""
    lines = [
        f"{surveys:,} simulated surveys of each kind: share of 95 % intervals that hold the truth "
        "(mean width)",
        "",
        "| errors | what | Lookdown | ± 1.96 standard errors |",
        "| --- | --- | --- | --- |",
    ]
    for world in (PLAUSIBLE, EVEN, PRINTED):
        for what, (cover, other) in simulate(world, surveys, 16).items():
            lines.append(
                f"| {world} | {what} | {cover.share:.1%} ({cover.width:.3f}) | "
                f"{other.share:.1%} ({other.width:.3f}) |"
            )
    return "\n".join(lines)
