"""The door to the test pictures: nothing goes past it, and it notes every opening."""

import ast
from pathlib import Path

import pytest

import training
from tests.training.conftest import quick
from training.errors import TrainingError
from training.pictures import held_out
from training.pictures.held_out import SHIPPED, Door

FIRST, SECOND = "1" * 64, "2" * 64
SOURCES = sorted(Path(training.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("names", [None, ("Stripes", "blobs", "plain")])
def test_an_opening_is_noted_before_a_picture_is_read(tmp_path, names):
    with pytest.raises(TrainingError, match="There is no folder"):
        door = Door(tmp_path, SHIPPED, FIRST)
        nowhere = tmp_path / "nowhere"
        door.test_pictures(nowhere, names, quick()) if names else door.all_pictures(nowhere)
    (opening,) = held_out.openings(tmp_path)
    assert (opening["subject"], opening["sha256"]) == (SHIPPED, FIRST)


def test_the_test_pictures_are_opened_for_one_file_only(tmp_path, images):
    assert not held_out.was_measured(tmp_path, FIRST, again=False)
    Door(tmp_path, SHIPPED, FIRST).all_pictures(images)
    assert held_out.was_measured(tmp_path, FIRST, again=False)
    with pytest.raises(TrainingError, match="choose by the test"):
        held_out.was_measured(tmp_path, SECOND, again=False)
    assert not held_out.was_measured(tmp_path, SECOND, again=True)


def test_networks_that_are_not_shipped_bar_no_way(tmp_path, images):
    Door(tmp_path, "study, random split 1", FIRST).all_pictures(images)
    assert not held_out.was_measured(tmp_path, SECOND, again=False)


def test_a_data_folder_with_a_test_of_its_own(tmp_path, images):
    for part in ("train", "test"):
        (tmp_path / "data" / part).parent.mkdir(exist_ok=True)
        (tmp_path / "data" / part).symlink_to(images)
    door = Door(tmp_path / "run", SHIPPED, FIRST)
    names = ("Stripes", "blobs", "plain")
    assert len(door.test_pictures(tmp_path / "data", names, quick()).classes) == 30
    assert len(door.all_pictures(tmp_path / "data").classes) == 60
    assert len(held_out.openings(tmp_path / "run")) == 2


def test_only_the_door_reads_test_pictures():
    """Where the test folder is named, pictures are read or the test's share is used."""
    uses = {
        (file.stem, name)
        for file in SOURCES
        for node in ast.walk(ast.parse(file.read_text()))
        if (name := _use_of_test(node))
    }
    assert {file for file, _ in uses} <= {"data", "held_out"}, uses


def _use_of_test(node: ast.AST) -> str | None:
    text = ast.unparse(node) if isinstance(node, (ast.Attribute, ast.Name)) else ""
    for wanted in ("TEST_FOLDER", "data.read", "split.test", "how.test"):
        if text == wanted or text.endswith("." + wanted):
            return wanted
    return None
