"""The pictures of a report: read as far as they can be and may be kept."""

import dataclasses

import pytest

from pyapp.core.imagery.source import Allows
from pyapp.work.report import FORBIDDEN, GONE, UNREAD, Reporter
from tests.core.surveys import batch_of
from tests.work.fakes import run, source
from tests.work.parts import Parts

MADE, VERSION = "2026-11-28T13:00:00", "0.4.0"


def written(parts, given):
    """The report of a survey of ten squares by five."""
    survey = parts.survey()
    survey.add(batch_of(survey, range(len(survey.grid))))
    reporter = Reporter(survey, given, parts.ground)
    run(reporter.read(None))
    return reporter.write(None, None, MADE, VERSION)


def test_it_has_the_map_and_the_squares():
    text = written(Parts(), source())
    assert text.count("data:image/jpeg") == 13
    assert not any(each in text for each in (FORBIDDEN, GONE, UNREAD))


@pytest.mark.parametrize("allows", [Allows(keep=False), Allows(read=False, keep=False)])
def test_pictures_that_may_not_be_kept_are_not_in_it(allows):
    parts = Parts()
    text = written(parts, dataclasses.replace(source(), allows=allows))
    assert "data:image/jpeg" not in text and FORBIDDEN in text
    assert "data:image/png" in text, "the colours alone"
    assert parts.fetch.asked == []


def test_imagery_that_is_gone_is_said():
    text = written(Parts(), None)
    assert GONE in text and "data:image/jpeg" not in text


def test_imagery_that_can_not_be_read_is_said_and_all_else_is_there():
    parts = Parts()
    parts.tile = lambda _url: 403
    text = written(parts, source())
    assert UNREAD in text and "Some squares" in text and "data:image/jpeg" not in text


def test_a_gap_in_the_imagery_is_left_grey():
    parts = Parts()
    whole = parts.tile
    first = []

    def with_a_gap(url):
        first.append(url)
        return 404 if url == first[0] else whole(url)

    parts.tile = with_a_gap
    assert "data:image/jpeg" in written(parts, source())
