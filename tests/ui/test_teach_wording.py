"""What the page says about teaching, word for word."""

import doctest

import numpy as np
import pytest

from pyapp.core.teach.aside import AsideVerdict
from pyapp.core.teach.curve import Gain
from pyapp.core.teach.example import Example, Judged
from pyapp.core.teach.judge import Interval, Verdict
from pyapp.core.teach.probe import Fit
from pyapp.core.teach.project import Project
from pyapp.ui.teach import wording
from pyapp.ui.teach.wording import fits_here, gains, how_good, how_good_aside, what_next


def project_of(**counts) -> Project:
    """A project with so many examples of each class."""
    given = [
        Example(f"{label}{number}", label, 16, None, "us")
        for label, count in counts.items()
        for number in range(count)
    ]
    return Project("p", "Banepa", "2026-11-25", tuple(counts), tuple(given))


def verdict_of(share, low, high) -> Verdict:
    nothing = np.empty(0)
    return Verdict(Interval(share, low, high), 7, nothing, nothing, nothing, nothing, 1.0, 0.6)


def test_the_examples_hold():
    assert doctest.testmod(wording).failed == 0


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({}, "Name the first thing that you want to tell apart, such as terrace."),
        ({"roof": 0}, "Name a second class: telling things apart takes two."),
        ({"roof": 0, "tree": 0}, "Put the square on something and press its class, or its number."),
        ({"roof": 2, "tree": 0}, "Now give an example of tree."),
        ({"roof": 2, "tree": 1, "road": 0}, "Left out until there is an example: road."),
        ({"roof": 2, "tree": 1}, ""),
    ],
)
def test_what_to_do_next(counts, said):
    assert what_next(project_of(**counts)) == said


def test_how_good_it_is_or_why_that_can_not_be_told():
    assert how_good(project_of(roof=3), None) == ""
    assert how_good(project_of(roof=3, tree=3), None) == (
        "6 examples: I can't tell yet how good this is. From 10 on, I can estimate it."
    )
    assert how_good(project_of(roof=9, tree=9), None).startswith("All examples touch each other")
    assert how_good(project_of(roof=9, tree=9), verdict_of(0.86, 0.73, 0.94)) == (
        "Right for 86% of squares at places it has not seen, between 73% and 94%. "
        "Estimated from 18 examples at 7 places."
    )


def test_what_more_examples_would_bring():
    project = project_of(roof=30, tree=30)
    found = [Gain(1, 12, 0.041), Gain(0, 20, 0.006)]
    assert gains(project, found) == (
        "12 more of tree: about +4 points; 20 more of roof: about +1 point."
    )
    assert gains(project, []) == "More examples of these classes would hardly change this."
    few = gains(project_of(roof=6, tree=6), [])
    assert few == "What more examples would bring can't be told yet."


def test_whether_a_model_fits_and_what_to_do():
    assert fits_here(Fit(64, 50, 6, 3, ("river",)), "UC Merced", 0) == (
        "Of 64 squares here, UC Merced names 8 in 10 and the kind of 1 in 10 more; "
        "fewer than 1 in 10 are unlike its training data. It fits: go on with a survey."
    )
    said = fits_here(Fit(60, 24, 0, 45, ("houses", "field", "river", "x")), "UC Merced", 4)
    assert said == (
        "Of 60 squares here, UC Merced names 4 in 10; 8 in 10 are unlike its training data. "
        "4 more have no imagery. A survey will have gaps; twenty labelled squares would help, "
        "most of all those that look like houses, field and river."
    )
    assert "It does not fit: use another model, or teach it." in fits_here(
        Fit(10, 0, 0, 10, ("houses",)), "UC Merced", 0
    )


def test_how_good_it_is_on_squares_kept_aside():
    good = AsideVerdict("Valley", Interval(0.81, 0.63, 0.92), 27, 0, (), 0.0)
    assert how_good_aside(good) == (
        "Right on 81% of the area of the survey Valley, between 63% and 92%. Estimated from 27 "
        "squares of its check, drawn at random, kept aside and never learned from; of other areas "
        "this says nothing."
    )
    assert "(less pond, less than 1% of it), between" in how_good_aside(
        good._replace(missing=("pond",), missing_share=0.004)
    )
    assert how_good_aside(good._replace(overlapping=1)).endswith("so it doesn't count.")
    assert how_good_aside(good._replace(overlapping=2)).endswith("2 more overlap examples, so they "
                                                                 "don't count.")  # fmt: skip


def test_too_few_squares_kept_aside_give_no_figure():
    few = AsideVerdict("Valley", Interval(1.0, 0.2, 1.0), 1, 0, ("pond", "field"), 0.9)
    assert how_good_aside(few) == (
        "How good this is in the area of the survey Valley can't be told yet. Of its check, 1 "
        "square kept aside can say it, and of 90% of the area none. Judge more squares of each "
        "class, and teach from them."
    )
    assert "0 squares kept aside" in how_good_aside(AsideVerdict("V", None, 0, 3, (), 0.0))
    assert "can't be told" in how_good_aside(few._replace(squares=30))


def test_what_is_kept_aside_is_no_example_to_learn_from():
    aside = Judged("s:1", "Valley", 1.0, True)
    given = [Example(f"a{each}", "roof", 16, None, "us", aside) for each in range(3)]
    project = project_of(roof=9, tree=9).with_examples(given)
    assert "Estimated from 18 examples" in how_good(project, verdict_of(0.86, 0.73, 0.94))
    only = project_of(tree=2, roof=0).with_examples(given)
    assert what_next(only) == "Now give an example of roof."
