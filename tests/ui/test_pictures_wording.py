"""What the page says about pictures of one's own and about models from elsewhere."""

import dataclasses
import doctest

from pyapp.core.model.listing import ListedModel
from pyapp.ui.answer.wording import facts
from pyapp.ui.device.wording import NO_EMBEDDING, notes
from pyapp.ui.pictures import wording
from pyapp.ui.pictures.wording import NO_PHOTO, said_of
from pyapp.work.pictures import SeenPicture
from tests.ui.test_wording import answer
from tests.work.fakes import card


def test_examples_hold():
    assert doctest.testmod(wording).failed == 0


def test_what_was_found_or_why_not():
    seen = SeenPicture("a.jpg", answer=answer())
    assert said_of(seen).endswith("probable") and said_of(seen)[0].isupper()
    assert said_of(SeenPicture("a.jpg", "It is broken.")) == "It is broken."
    assert NO_PHOTO.endswith("Choose a picture instead.")


def test_of_a_model_that_nobody_judged_nothing_is_claimed():
    theirs = dataclasses.replace(card(), judged=False, embeds=False)
    said = facts(dataclasses.replace(answer(), card=theirs))
    assert said[-1] == f"{theirs.title}: how often it is right is unknown"
    told = notes(ListedModel(theirs.name, theirs.title), theirs)
    assert [each.kind for each in told] == ["mind", "fact"]
    assert "unknown" in told[0].text and told[1].text == NO_EMBEDDING
