"""Restores the probabilities of cells from a file, which holds the five best and the answer.

A file has no embeddings to refit corrections with, and no probability for most classes. So the
probabilities are chosen such that each cell has the answer that the file gives it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pyapp.core.model.tree import NOT_SURE, Tree
from pyapp.core.survey.facts import ModelFacts, as_number, as_whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_SCORE = 1e-4  # of the answer; scores are written with four digits
# What rounding to four digits, then to half precision, may cost.
ROUNDED = 1e-3
# Shares of the plainest probabilities with the right answer, mixed in until the answer is right.
MIXED = (0.0, 0.03, 0.1, 0.3, 1.0)


def restored(model: ModelFacts, rows: list[dict[str, Any]]) -> NDArray[np.float16]:
    """Probabilities of the classes, for the n classified cells of a file.

    Parameters
    ----------
    model : ModelFacts
    rows : list of dict
        What the file says about each cell: ``best``, ``class``, ``class_id`` and ``score``.

    Returns
    -------
    ndarray of float16, shape (n, C)
        As they are stored.

    Raises
    ------
    ValueError, KeyError, TypeError
        If a fact is missing or wrong, or an answer contradicts its score.
    """
    best = np.zeros((len(rows), len(model.labels)))
    known = np.zeros(best.shape, np.bool_)
    for number, row in enumerate(rows):
        for each in row["best"]:
            class_id = model.labels.index(each["class"])
            best[number, class_id] = as_number(each["score"], 0, 1)
            known[number, class_id] = True
    if model.tree.is_flat:
        return _led(model, rows, best.astype(np.float16))
    answers = [_answer(model, row) for row in rows]
    nodes = np.array([node_id for node_id, _ in answers], np.int64)
    scores = np.array([score for _, score in answers])
    return _settled(model, _completed(model.tree, nodes, scores, best, known), nodes, scores)


def _led(
    model: ModelFacts, rows: list[dict[str, Any]], shares: NDArray[np.float16]
) -> NDArray[np.float16]:
    """Without a tree: change the probabilities of each cell so that its class leads."""
    for row, each in zip(rows, shares, strict=True):
        shown = _named(model, row)
        score = as_number(row["score"], LEAST_SCORE, 1)
        if each.argmax() != shown:
            each *= 0.9 * score / max(float(each.max()), score)
            each[shown] = score
    return shares


def _named(model: ModelFacts, row: dict[str, Any]) -> int:
    """The node that a cell's answer is."""
    nodes = model.tree.nodes
    node_id = as_whole(row["class_id"], 0, len(nodes) - 1)
    if nodes[node_id].name != row["class"]:
        raise ValueError(f"class {node_id} is {nodes[node_id].name}")
    return node_id


def _answer(model: ModelFacts, row: dict[str, Any]) -> tuple[int, float]:
    """With a tree: a cell's answer and its probability; `NOT_SURE` has none."""
    if row["class"] is None:
        return NOT_SURE, 0.0
    node_id = _named(model, row)
    score = as_number(row["score"], LEAST_SCORE, 1)
    least = model.levels[model.tree.nodes[node_id].level]
    if score < least - ROUNDED:
        raise ValueError(f"{row['class']} has a score of {score}, under its threshold of {least}")
    return node_id, score


def _completed(
    tree: Tree,
    nodes: NDArray[np.int64],
    scores: NDArray[np.float64],
    best: NDArray[np.float64],
    known: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Give the classes that the file does not name an even share of the remaining probability.

    Inside the answer, what remains of the answer's; outside it, what remains of the rest.
    """
    # One more column, which `NOT_SURE` indexes from the end: no class is inside.
    members = np.concatenate([tree.membership, np.zeros((best.shape[1], 1), np.float32)], 1)
    inside = members[:, nodes].T > 0
    whole: NDArray[np.float64] = best.copy()
    for part, mass in ((inside, scores), (~inside, 1 - scores)):
        unknown = part & ~known
        left = np.maximum(mass - (best * part).sum(1), 0)
        whole += unknown * (left / np.maximum(unknown.sum(1), 1))[:, np.newaxis]
    return whole


def _settled(
    model: ModelFacts,
    whole: NDArray[np.float64],
    nodes: NDArray[np.int64],
    scores: NDArray[np.float64],
) -> NDArray[np.float16]:
    """Change probabilities no more than it takes for each cell to have its answer."""
    tree = model.tree
    plain = np.zeros((len(tree.nodes) + 1, whole.shape[1]))
    least = np.zeros(len(plain))
    for each in tree.nodes:
        _spread(tree, each.id, 1.0, plain[each.id])
        least[each.id] = model.levels[each.level]
    mass = np.minimum(np.maximum(scores, least[nodes] * (1 + ROUNDED)), 1)
    plainest = plain[nodes] * mass[:, np.newaxis]
    shares = whole.astype(np.float16)
    for mixed in MIXED:
        wrong = tree.answers(shares.astype(np.float32), model.levels) != nodes
        shares[wrong] = (1 - mixed) * whole[wrong] + mixed * plainest[wrong]
    return shares


def _spread(tree: Tree, node_id: int, mass: float, shares: NDArray[np.float64]) -> None:
    """Divide a probability evenly among what is inside a node, and so on down to the classes."""
    children = tree.children(node_id)
    if not children:
        shares[node_id] = mass
    for each in children:
        _spread(tree, each, mass / len(children), shares)
