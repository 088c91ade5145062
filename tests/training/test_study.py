"""The study on a tiny data set: every question is answered, once, and the report tells it."""

import io
import json
import shutil
import urllib.request
from dataclasses import replace

import pytest

from tests.training.conftest import CHIP_PX, quick
from training.networks import learn
from training.pictures import held_out
from training.pictures.looks import LOOKS
from training.run import HTML_FILE
from training.steps import study
from training.steps.report import report


@pytest.fixture(scope="module")
def how():
    tiny = quick()
    short = replace(tiny.study, chip_px=CHIP_PX, epochs=1, split_epochs=1, left_out=1, splits=1)
    return replace(tiny, study=short)


@pytest.fixture(scope="module")
def answered(finished, images, how, tmp_path_factory):
    run = shutil.copytree(finished, tmp_path_factory.mktemp("study") / "tiny")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(urllib.request, "urlopen", _nothing)
        study.study(images, run, how)
    return run


def _nothing(*_, **__):
    raise OSError("no network")


def test_every_question_is_answered(answered):
    facts = json.loads((answered / study.STUDY_FILE).read_text())
    views = facts["augmentation"]["nothing left out"]
    assert set(views) == set(LOOKS)
    assert all(0 <= each <= 1 for each in views.values())
    assert len(facts["augmentation"]) == 6
    assert len(facts["left_out"]) == 3
    assert all(0 <= each["largest logit"] <= 1 for each in facts["left_out"].values())
    assert facts["splits"]["random split 1"]["images"] == 6
    assert "no network" in facts["splits"]["published split"]["missing"]


def test_every_opening_of_the_test_pictures_is_noted(answered, finished):
    before, after = held_out.openings(finished), held_out.openings(answered)
    (opening,) = after[len(before) :]
    assert opening["subject"] == "study, random split 1"
    assert len(opening["sha256"]) == 64
    assert after[: len(before)] == before


def test_what_is_answered_is_not_asked_again(answered, images, how, monkeypatch):
    monkeypatch.setattr(learn, "fit", None)
    monkeypatch.setattr(urllib.request, "urlopen", _nothing)
    openings = held_out.openings(answered)
    assert study.study(images, answered, how).exists()
    assert held_out.openings(answered) == openings


def test_the_report_tells_it(answered, images, how):
    report(images, answered, how)
    text = (answered / HTML_FILE).read_text()
    for wanted in (
        "What each augmentation brings",
        "Scenes left out",
        "turned by 37°",
        "nearest class centre",
        "random split 1",
        "could not be fetched",
        "opened 1 time for the shipped file",
        "and 1 time for networks of the study",
    ):
        assert wanted in text, wanted


def split_lists(monkeypatch, learning, part):
    """Let the address of the published split give these names of files."""

    def lists(address, timeout):
        names = {"train": learning, "test": part}[address.rsplit("-", 1)[1].removesuffix(".txt")]
        return io.BytesIO("\n".join(names).encode())

    monkeypatch.setattr(urllib.request, "urlopen", lists)


def test_a_published_split_takes_the_pictures_it_names(images, how, monkeypatch, tmp_path):
    split_lists(monkeypatch, [f"{n:02}.tif" for n in range(8)], ["08.tif", "09.tif"])
    asked = {}

    def fit(learning, watched, *_):
        asked.update(learning=learning.files, watched=watched.files)
        raise KeyboardInterrupt

    monkeypatch.setattr(learn, "fit", fit)
    with pytest.raises(KeyboardInterrupt):
        study._Bench(images, tmp_path, how).published_split("published split")
    assert len(asked["learning"]) == 24
    assert set(asked["watched"]) == {f"{c}/{n}.png" for c in ("Stripes", "blobs", "plain")
                                     for n in ("08", "09")}  # fmt: skip
    (opening,) = held_out.openings(tmp_path)
    assert opening["subject"] == "study, published split"


def test_a_published_split_of_other_pictures_opens_nothing(images, how, monkeypatch, tmp_path):
    split_lists(monkeypatch, ["forest00.tif"], ["river00.tif"])
    answer = study._Bench(images, tmp_path, how).published_split("published split")
    assert answer == {"missing": "the data has none of its pictures"}
    assert held_out.openings(tmp_path) == []
