"""A person's corrections, carried over to the classes of another model."""

from collections.abc import Mapping

from pyapp.core.model.tree import Tree


def carried(corrections: Mapping[int, int], before: Tree, after: Tree) -> dict[int, int]:
    """Corrections by the nodes of another tree.

    A correction becomes the node of the same name, or that of the smallest group around it which
    the other tree has too. One for which there is neither can't be said there, and is left out.

    Parameters
    ----------
    corrections : mapping of int to int
        For each corrected cell, a node of ``before``.
    before, after : Tree

    Examples
    --------
    >>> carried({7: 1, 8: 0}, Tree.flat(("field", "Roof")), Tree.flat(("roof", "terrace")))
    {7: 0}
    """
    ids = {each.name.casefold(): each.id for each in reversed(after.nodes)}
    found = {}
    for cell, node_id in corrections.items():
        for name in reversed(before.path(node_id)):
            if name.casefold() in ids:
                found[cell] = ids[name.casefold()]
                break
    return found
