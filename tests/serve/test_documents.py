"""Documents say what is so: figures, links, and where measurements are written."""

import re
import shutil

import pytest

from tests.bench import document
from tests.serve.conftest import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


def test_the_figures_of_the_readme_are_those_of_the_benchmarks():
    measured = document.BENCHMARKS.read_text()
    readme = document.README.read_text()
    wanted = document.figures(measured)
    assert document.with_part(readme, document.FIGURES, wanted) == readme


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.name)
def test_links_lead_to_files_that_are_there(file):
    links = LINK.findall(file.read_text())
    assert [each for each in links if not (file.parent / each).exists()] == []


def test_what_is_measured_is_written_into_both_documents(tmp_path, monkeypatch):
    for name in ("BENCHMARKS", "README"):
        copy = tmp_path / f"{name}.md"
        shutil.copy(getattr(document, name), copy)
        monkeypatch.setattr(document, name, copy)
    survey = document.table([("survey of 10 squares", "77.5 / 80.0", "0.97")], "me", "Browser 1")
    document.write("bench survey", survey)
    assert survey in document.BENCHMARKS.read_text()
    assert "start, cold, interactive" in document.BENCHMARKS.read_text()
    assert "| 77.5 | 0.97 of the rate" in document.README.read_text()
    assert "## Train your own" in document.README.read_text()


def test_a_document_without_the_marks_is_refused():
    with pytest.raises(ValueError, match="no marks <!-- a --> and <!-- /a -->"):
        document.with_part("text", "a", "new")
    with pytest.raises(ValueError, match="no row that begins with 'start, cold"):
        document.figures("| another | 1 | 2 |")
