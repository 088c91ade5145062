"""Descriptions of sources: what they may say, and what is refused."""

import numpy as np
import pytest
from PIL import Image

from pyapp.core.model.tree import Tree
from training.errors import TrainingError
from training.pictures import sources

LABELS = ("farmland", "forest", "river", "tower", "hut")
NESTED = {"land": {"green": ["farmland", "forest"]}, "water": ["river"], "built": ["tower", "hut"]}
TREE = Tree.from_json(LABELS, NESTED)
GOOD = """
title = "A source"
credit = "Somebody"
citation = "A paper"
licence = "CC0"
research_only = false

[trees.lands]
ground_m = [100, 400]

[trees.lands.allows]
Fields = ["farmland"]
Houses = ["built"]

[trees.lands.coarse]
Desert = ["land"]

[trees.lands.left_out]
Port = "none of our classes"
"""


@pytest.fixture
def folder(tmp_path):
    """A source of four labels, and its description beside it."""
    for each in ("Fields", "Houses", "Desert", "Port"):
        (tmp_path / "data" / "mine" / each).mkdir(parents=True)
        picture = Image.fromarray(np.zeros((8, 8, 3), np.uint8))
        picture.save(tmp_path / "data" / "mine" / each / "0.png")
    (tmp_path / "mine.toml").write_text(GOOD)
    return tmp_path


def read(folder):
    return sources.read("mine", folder / "data" / "mine", TREE, folder, "lands")


def names_right(source, label):
    right = source.right[source.labels.index(label)]
    return {node.name for node in TREE.nodes if right[node.id]}


def test_what_is_right_for_a_label(folder):
    source = read(folder)
    assert source.labels == ("Desert", "Fields", "Houses", "Port")
    assert names_right(source, "Fields") == {"farmland", "green", "land"}
    assert names_right(source, "Houses") == {"built", "tower", "hut"}
    assert names_right(source, "Desert") == {"land"}
    assert names_right(source, "Port") == set()
    assert not source.is_judged("Port")


@pytest.mark.parametrize(
    ("text", "instead", "complaint"),
    [
        ('["farmland"]', '["paddy"]', "'paddy', allowed for the label Fields, is not in the tree"),
        ('["land"]', '["sea"]', "'sea', allowed for the label Desert, is not in the tree"),
        ('["land"]', '["forest"]', "'forest', coarse for the label Desert, is not a group"),
        ('["farmland"]', "[]", "allows nothing for the label Fields"),
        ('Fields = ["farmland"]', "", "says nothing about the label Fields, which has a folder"),
        ("Port =", "Quay = 'away'\nPort =", "names the label Quay, which has no folder"),
        ("Port =", "Fields = 'away'\nPort =", "leaves out the label Fields, and says what"),
        ('licence = "CC0"', "", "the file lacks licence"),
        ('licence = "CC0"', 'licence = "CC0"\nlicense = "CC0"', "has no setting license"),
        ('licence = "CC0"', "licence = 0", "licence = 0 is not of the right type"),
        ('["farmland"]', '"farmland"', 'Fields = "farmland" is not of the right type'),
        ('"none of our classes"', "false", "Port = false is not of the right type"),
        ("[100, 400]", "[400, 100]", r"ground_m = \[400, 100\] is not a range of metres"),
        ("[100, 400]", "[0, 100]", r"ground_m = \[0, 100\] is not a range of metres"),
        ("[100, 400]", "[nan, 100]", "is not a range of metres"),
        ("[100, 400]", "100", "ground_m = 100 is not of the right type"),
        ("[trees.lands.allows]", "[trees.lands.allows", "cannot be used: "),
    ],
)
def test_a_description_that_does_not_fit_is_refused(folder, text, instead, complaint):
    assert text in GOOD
    (folder / "mine.toml").write_text(GOOD.replace(text, instead, 1))
    with pytest.raises(TrainingError, match=complaint) as caught:
        read(folder)
    assert str(caught.value).endswith(".")


def test_a_folder_without_a_description(folder):
    (folder / "mine.toml").unlink()
    with pytest.raises(TrainingError, match=r"data/mine has no description\. Write .*mine\.toml"):
        read(folder)


def test_a_folder_beside_the_sources_without_a_description(folder):
    other = folder / "data" / "other"
    (other / "Woods").mkdir(parents=True)
    (folder / "data" / "tiles" / "14" / "3").mkdir(parents=True)
    assert len(sources.read_all(["mine"], folder / "data", TREE, folder, "lands")) == 1
    (folder / "data" / "mine" / "Port" / "0.png").rename(other / "Woods" / "0.png")
    with pytest.raises(TrainingError, match="data/other has no description"):
        sources.read_all(["mine"], folder / "data", TREE, folder, "lands")


def test_no_folder_of_sources(tmp_path):
    with pytest.raises(TrainingError, match="There is no folder"):
        sources.read_all(["mine"], tmp_path / "nowhere", TREE, tmp_path, "lands")


def test_the_test_pictures_of_a_source_stay_closed(folder):
    whole = folder / "data" / "mine"
    whole.rename(folder / "train")
    (whole / "test").mkdir(parents=True)
    (folder / "train").rename(whole / "train")
    assert read(folder).folder == whole / "train"


def test_how_much_of_a_picture_is_used(folder):
    assert read(folder).meaning.share_for(80) == 0.8
    assert read(folder).meaning.share_for(120) == 1.0
    (folder / "mine.toml").write_text(GOOD.replace("ground_m = [100, 400]", ""))
    assert read(folder).meaning.share_for(80) == 1.0


def test_a_tree_of_other_classes(tmp_path):
    (tmp_path / "mine.toml").write_text('land = ["farmland"]')
    with pytest.raises(TrainingError, match="lacks the class 'forest'"):
        sources.read_tree("mine", LABELS, tmp_path)
    with pytest.raises(TrainingError, match="can't be read"):
        sources.read_tree("yours", LABELS, tmp_path)
