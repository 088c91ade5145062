"""The report of the tiny run holds everything, in three forms."""

import hashlib
import json
import re

import numpy as np
import pytest

from training.figures.metrics import per_class
from training.pictures.held_out import SHIPPED
from training.run import (
    FINAL_FILE,
    HTML_FILE,
    JSON_FILE,
    MARKDOWN_FILE,
    OPENINGS_FILE,
    SHIPPED_FILE,
)


@pytest.fixture(scope="module")
def facts(finished):
    return json.loads((finished / JSON_FILE).read_text())


@pytest.mark.parametrize("file", [HTML_FILE, MARKDOWN_FILE])
def test_it_tells_everything(finished, file):
    text = (finished / file).read_text()
    for wanted in ("opened 1 time", "mean over", "Calibration", "int8 weights", "precision",
                   "worst mistakes", "Validation pictures", "median seconds per epoch",
                   "onnxruntime-web", "[augment]", "torch 2."):  # fmt: skip
        assert wanted in text, wanted


def test_the_page_is_one_file(finished):
    text = (finished / HTML_FILE).read_text()
    assert not re.search(r'(src|href)="(?!data:|#)', text)
    assert text.count("<svg") == 4
    assert "<script" not in text


def test_the_markdown_shows_figures_that_exist(finished):
    figures = re.findall(r"!\[[^]]*\]\(([^)]*)\)", (finished / MARKDOWN_FILE).read_text())
    assert len(figures) >= 6
    assert all((finished / each).stat().st_size > 0 for each in figures)


def test_counts_agree(facts):
    images = facts["final"]["shipped"]["native"]["images"]
    matrix = facts["confusion"]
    right = sum(row[number] for number, row in enumerate(matrix))
    assert sum(map(sum, matrix)) == images == sum(each["images"] for each in facts["per_class"])
    native = facts["final"]["shipped"]["native"]
    assert right / images == pytest.approx(native["accuracy"], abs=1e-4)
    assert len(facts["mistakes"]) == min(12, images - right)


def test_torch_onnxruntime_and_the_browser_agree(finished):
    final = json.loads((finished / FINAL_FILE).read_text())
    assert final["torch_against_onnxruntime"] < 1e-5
    browser = final["onnxruntime_against_browser"]
    assert browser["same_answers"] == browser["images"] == 6
    assert browser["largest_difference"] < 1e-4


def test_the_opening_of_the_test_is_noted(finished):
    (opening,) = json.loads((finished / OPENINGS_FILE).read_text())
    assert opening["subject"] == SHIPPED
    assert opening["sha256"] == hashlib.sha256((finished / SHIPPED_FILE).read_bytes()).hexdigest()


def test_precision_and_recall():
    probability = np.eye(3)[[0, 0, 1, 1]]
    first, second, third = per_class(probability, np.array([0, 1, 1, 2]), ("a", "b", "c"))
    assert (first["precision"], first["recall"]) == (0.5, 1.0)
    assert (second["precision"], second["recall"]) == (0.5, 0.5)
    assert third["recall"] == 0
