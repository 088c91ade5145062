"""What is offered for a place, and what the terms of each source allow there."""

from dataclasses import replace

from pyapp.core.errors import ForbiddenReadingError
from pyapp.core.ground.geo import Bounds, LngLat
from pyapp.core.imagery.choice import by_place, facts_at, permission, readable
from pyapp.core.imagery.source import Allows, Source

ONLY_SHOWN = Allows(show=True, read=False, bulk=False, keep=False)
WORLD = Source("world", "World", "{z}/{x}/{y}", 0, 19, "", "", None, allows=ONLY_SHOWN)
COARSE = Source("coarse", "Coarse", "{z}/{x}/{y}", 0, 16, "", "", None)
ALPS = Bounds(5.9, 45.8, 10.5, 47.8)
SWISS = Source("swiss", "Swiss", "{z}/{x}/{y}", 0, 19, "", "", None, bounds=(ALPS,), date="2024")
LOOKED_AT = [WORLD, COARSE, SWISS]
BERN, DELFT = LngLat(7.447, 46.948), LngLat(4.36, 52.01)


def test_what_covers_the_place_and_may_be_read_comes_first_the_finest_before():
    here, elsewhere = by_place(LOOKED_AT, BERN)
    assert [each.id for each in here] == ["swiss", "coarse", "world"]
    assert elsewhere == []
    here, elsewhere = by_place(LOOKED_AT, DELFT)
    assert [each.id for each in here] == ["coarse", "world"]
    assert elsewhere == [SWISS]


def test_what_may_be_read_is_named_without_the_years_of_a_series():
    year = replace(SWISS, id="y", name="Swiss 1999", series="by year")
    single = replace(COARSE, name="Single", allows=Allows(True, True, False, False))
    assert readable([year, *LOOKED_AT, single], BERN) == ["Swiss", "Coarse", "Single"]
    assert readable([year, *LOOKED_AT, single], BERN, bulk=True) == ["Swiss", "Coarse"]


def test_date_and_resolution_there_are_told():
    assert facts_at(SWISS, BERN) == "0.20 m per pixel, 2024"
    assert facts_at(replace(SWISS, date="", renewed="flown each year"), BERN).endswith("each year")
    assert facts_at(COARSE, LngLat(0, 0)) == "2.39 m per pixel"


def test_what_one_may_do_is_a_sentence():
    assert permission(SWISS) == "You may look at it, classify it, survey it and keep it."
    assert permission(WORLD) == "You may look at it, but not classify it, survey it or keep it."


def test_without_any_other_the_message_says_so():
    assert "imagery of your own" in str(ForbiddenReadingError("World", []))
