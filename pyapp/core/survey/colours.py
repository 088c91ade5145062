"""The colours of a survey: of classes without a tree, and of the nodes of one."""

import colorsys
from functools import lru_cache

from pyapp.core.model.tree import Level, Tree

# In the order of UC Merced's classes, so that water is blue and forest is green. Other models use
# them in the same order; further classes get hues that are a golden angle apart.
COLOURS = (
    "#e6c84c", "#b07aa1", "#d98c5f", "#f5e0a3", "#c0392b", "#9c8f45", "#e0524d",
    "#1f7a3d", "#5b6770", "#7fd14f", "#1b6ca8", "#8e99a3", "#f0817a", "#d64f9a",
    "#3f4850", "#b8c2cc", "#3fa9f5", "#4348c9", "#f7b2a9", "#7d3cae", "#2ec4b6",
)  # fmt: skip
GOLDEN_TURN = 0.381966

# Hues of the groups at the top of a tree, in degrees and in their order: red, violet, green, blue,
# amber, teal, pink. They suit a tree that begins with what is built, then transport, open land,
# water and sports grounds. Further groups get hues that are a golden angle apart.
HUES = (8, 275, 110, 212, 42, 170, 325)
# How far the hues inside a group turn away from its own, in degrees.
TURNS = (0, 14, -14)
# Classes are dark and strong; groups are so much paler that a coarse answer is seen to be one.
DARKEST, LIGHTEST = 0.24, 0.56
STRONG = (0.85, 0.55)
PALE = {Level.TOP: (0.84, 0.75), Level.GROUP: (0.73, 0.6)}

RGB = tuple[int, int, int]


def colour(class_id: int) -> RGB:
    """Red, green and blue of a class that is in no tree, 0 to 255.

    >>> colour(7)
    (31, 122, 61)
    """
    if class_id < len(COLOURS):
        text = COLOURS[class_id]
        return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)
    turn = class_id * GOLDEN_TURN % 1 * 6
    red, green, blue = (
        round(70 + 150 * min(max(abs((turn + shift) % 6 - 3) - 1, 0), 1)) for shift in (0, 4, 2)
    )
    return red, green, blue


@lru_cache(maxsize=8)
def node_colours(tree: Tree) -> tuple[RGB, ...]:
    """Red, green and blue of each node, 0 to 255.

    In a flat tree they are those of `colour`. Otherwise each group at the top has a hue, in which
    the groups are pale and the classes are shades.

    Returns
    -------
    tuple of tuple of int
        One for each node, by id.
    """
    if tree.is_flat:
        return tuple(colour(each.id) for each in tree.nodes)
    found: dict[int, RGB] = {}
    tops = [each for each in tree.groups if each.level == Level.TOP]
    for place, top in enumerate(tops):
        hue = HUES[place] if place < len(HUES) else 360 * (place * GOLDEN_TURN % 1)
        inside = [tree.nodes[each] for each in tree.order if tree.top_of(each) == top.id]
        groups = [each for each in inside if each.level != Level.CLASS]
        for number, each in enumerate(groups):
            lightness, strength = PALE[each.level]
            found[each.id] = _rgb(hue + _turn(number), lightness, strength)
        classes = [each for each in inside if each.level == Level.CLASS]
        for number, each in enumerate(classes):
            share = (number + 0.5) / len(classes)
            lightness = DARKEST + (LIGHTEST - DARKEST) * share
            found[each.id] = _rgb(hue + _turn(number), lightness, STRONG[number % len(STRONG)])
    return tuple(found[each.id] for each in tree.nodes)


def _turn(number: int) -> int:
    """How far the hue of one of several nodes turns; neighbours differ."""
    return TURNS[number % len(TURNS)]


def _rgb(hue: float, lightness: float, strength: float) -> RGB:
    red, green, blue = colorsys.hls_to_rgb(hue / 360 % 1, lightness, strength)
    return round(255 * red), round(255 * green), round(255 * blue)
