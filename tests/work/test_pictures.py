"""Many pictures: each answered or refused, and the table of them."""

import csv
import io

import numpy as np
import pytest

from pyapp.core.errors import NotAPictureError
from pyapp.core.imagery.part import Part
from pyapp.core.imagery.photo_errors import UnknownFormatError
from pyapp.work.classifier import OWN_PICTURE
from pyapp.work.pictures import Pictures, pictures_to_csv
from tests.work.fakes import answers, run, tile_bytes
from tests.work.parts import Parts


def reading(data):
    async def read():
        return data

    return read


def test_pictures_are_listed_with_answers_and_problems():
    parts = Parts()
    pictures = Pictures(parts.ground, parts.classifier)

    async def work():
        await parts.load()
        good = await pictures.look("=roof.jpg", reading(tile_bytes("a")))
        bad = await pictures.look("<b>.txt", reading(b"nothing"))
        return [good, bad]

    good, bad = run(work())
    said = answers(good.answer.chip.pixels[np.newaxis])["probability"][0]
    assert good.answer.prediction.best.probability == pytest.approx(float(said.max()))
    assert good.thumb.shape[0] <= 144 and good.part == Part(0, 0, 256)
    assert bad.answer is None and "can't be read" in bad.problem
    rows = list(csv.DictReader(io.StringIO(pictures_to_csv([good, bad]))))
    assert rows[0]["file"] == "'=roof.jpg", "no formula for a spreadsheet"
    assert rows[0]["best_class"] == good.answer.prediction.best.label
    assert float(rows[0]["best_score"]) == pytest.approx(float(said.max()), abs=1e-4)
    assert rows[0]["square_side_px"] == "256" and rows[0]["problem"] == ""
    assert rows[1]["class"] == "" and rows[1]["problem"] == bad.problem


def test_a_square_of_a_picture_is_answered():
    parts = Parts()

    async def work():
        await parts.load()
        photo = await parts.ground.photo(tile_bytes("x"))
        answer = await parts.classifier.part(photo, Part(10, 20, 100))
        assert (answer.place, answer.credit) == (None, OWN_PICTURE)
        assert (answer.chip.pixels == photo.chip(Part(10, 20, 100), 192)).all()

    run(work())


def test_what_pillow_does_not_know_is_left_to_the_port():
    parts = Parts()
    photo = run(parts.ground.photo(b"odd\x07"))
    assert (photo.pixels == 7).all() and photo.facts.orientation == 1
    with pytest.raises(UnknownFormatError, match="can't read HEIC pictures"):
        run(parts.ground.photo(b"\0\0\0\x18ftypheic" + bytes(40)))
    with pytest.raises(NotAPictureError, match="may be damaged"):
        run(parts.ground.photo(b"?"))
