"""Projects: what can be done to them, and what is refused of their files."""

import contextlib
import io
import json
import zipfile

import numpy as np
import pytest

from pyapp.core.errors import (
    ClassNameError,
    FullProjectError,
    NotAProjectError,
    TwoClassesError,
)
from pyapp.core.ground.geo import Footprint, LngLat
from pyapp.core.teach import project as projects
from pyapp.core.teach.archive import from_archive, to_archive, to_png
from pyapp.core.teach.example import Example
from pyapp.core.teach.project import Project, digest_of
from pyapp.core.teach.steps import finished

MARKUP = "<img src=x onerror=alert(1)>"


def opened(data):
    return finished(from_archive(data))


def png_of(seed, side=16):
    chance = np.random.default_rng(seed)
    return to_png(chance.integers(0, 256, (side, side, 3), np.uint8))


def example(seed, label, side=16):
    place = None if seed % 3 == 0 else Footprint(LngLat(85.5 + seed / 1000, 27.6), 78.0)
    return Example(digest_of(png_of(seed, side)), label, side, place, "us, CC BY 4.0")


def project_of(count=5):
    made = Project("p1", "Banepa", "2026-11-25T12:00:00")
    for label in ("terrace", MARKUP):
        made = made.with_class(label)
    given = [example(seed, ("terrace", MARKUP)[seed % 2]) for seed in range(count)]
    return made.with_examples(given), {digest_of(png_of(each)): png_of(each)
                                       for each in range(count)}  # fmt: skip


def test_a_file_holds_all_and_is_the_same_twice():
    project, pictures = project_of()
    data = to_archive(project, pictures)
    assert opened(data) == (project, pictures)
    assert to_archive(project, pictures) == data
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert "sha256" in archive.read("README.txt").decode()
        facts = json.loads(archive.read("project.json"))
    assert facts["examples"][1]["place"] == {"lng": 85.501, "lat": 27.6, "side_m": 78.0}


def test_what_is_done_to_a_project_leaves_the_one_before():
    project, _ = project_of()
    other = project.without_class("terrace")
    assert other.classes == (MARKUP,) and len(other.examples) == 2
    assert len(project.examples) == 5
    first = project.examples[0].sha256
    assert project.moved(first, MARKUP).find(first).label == MARKUP
    assert project.without(first).find(first) is None
    named = project.with_class_named("terrace", " rice   terrace ")
    assert named.classes[0] == "rice terrace" and named.count("rice terrace") == 3
    assert project.with_class("third").taught == ("terrace", MARKUP)
    assert project.with_examples(project.examples[:2]) == project


def test_the_same_square_is_not_in_two_classes():
    project, _ = project_of()
    with pytest.raises(TwoClassesError) as raised:
        project.with_examples([example(0, MARKUP)])
    assert (raised.value.before, raised.value.after) == ("terrace", MARKUP)


@pytest.mark.parametrize("name", ["", "  ", "x" * 61, "TERRACE", "half a pair \ud800"])
def test_names_that_can_not_be_used(name):
    project, _ = project_of()
    with pytest.raises(ClassNameError):
        project.with_class(name)


def test_a_project_that_is_full(monkeypatch):
    project, _ = project_of()
    monkeypatch.setattr(projects, "MOST_CLASSES", 2)
    monkeypatch.setattr(projects, "MOST_EXAMPLES", 5)
    with pytest.raises(FullProjectError, match="2 classes"):
        project.with_class("third")
    with pytest.raises(FullProjectError, match="5 examples"):
        project.with_examples([example(9, "terrace")])


def changed(change):
    """The file of a project with its facts changed."""
    project, pictures = project_of()
    facts = json.loads(project.to_json())
    change(facts)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("project.json", json.dumps(facts))
        for sha256, png in pictures.items():
            archive.writestr(f"pictures/{sha256}.png", png)
    return out.getvalue()


DAMAGE = {
    "format of a newer version": lambda f: f.update(format="lookdown project 3"),
    "no classes": lambda f: f.pop("classes"),
    "classes twice": lambda f: f.update(classes=["a", "A", "terrace", MARKUP]),
    "an empty class": lambda f: f["classes"].append(" "),
    "an example of no class": lambda f: f["examples"][0].update(label="river"),
    "a place off the world": lambda f: f["examples"][1]["place"].update(lat=1e9),
    "a place that is no number": lambda f: f["examples"][1]["place"].update(lat="x"),
    "a digest that is a path": lambda f: f["examples"][0].update(sha256="../../etc/passwd"),
    "the same picture twice": lambda f: f["examples"].append(f["examples"][0]),
    "a wrong size": lambda f: f["examples"][0].update(chip_px=17),
    "an enormous size": lambda f: f["examples"][0].update(chip_px=10**9),
    "a name that is a list": lambda f: f.update(name=["x"]),
    "no name": lambda f: f.update(name=" "),
    "a picture that is missing": lambda f: f["examples"][0].update(sha256="ab" * 32),
    "examples that are a number": lambda f: f.update(examples=3),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_files_edited_by_hand_are_refused(damage):
    with pytest.raises(NotAProjectError):
        opened(changed(DAMAGE[damage]))


def test_a_file_without_damage_is_taken():
    assert opened(changed(lambda facts: None))[0] == project_of()[0]


def test_files_that_are_cut_short_are_refused_at_every_length():
    data = to_archive(*project_of())
    for length in range(0, len(data) - 1, 97):
        with pytest.raises(NotAProjectError):
            opened(data[:length])


def test_a_changed_byte_is_noticed_or_harmless():
    project, pictures = project_of()
    data = to_archive(project, pictures)
    for at in range(0, len(data), 53):
        broken = bytearray(data)
        broken[at] ^= 0x55
        with contextlib.suppress(NotAProjectError):
            assert opened(bytes(broken)) == (project, pictures)


def test_bombs_are_not_unpacked():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("project.json", b" " * (64 << 20))
    with pytest.raises(NotAProjectError, match="too large"):
        opened(out.getvalue())
    nested = io.BytesIO()
    with zipfile.ZipFile(nested, "w") as archive:
        archive.writestr("project.json", "[" * 100_000)
    with pytest.raises(NotAProjectError):
        opened(nested.getvalue())


def test_other_files_are_refused():
    for data in (b"", b"PK", b"{}", png_of(0), b"\x00" * 1000):
        with pytest.raises(NotAProjectError):
            opened(data)
