"""Where measurements are written down: all in docs/benchmarks.md, five figures in README.md."""

import json
import os
import re
import sys
import time

from tests.__main__ import ROOT

sys.path.insert(0, str(ROOT / "site"))

from assembly.build import version

BENCHMARKS, README = ROOT / "docs" / "benchmarks.md", ROOT / "README.md"
FIGURES = "figures"
Row = tuple[str, ...]


def table(
    rows: list[Row], command: str, browser: str, head: Row = ("what", "measured", "ratio")
) -> str:
    """A Markdown table, and where and when it was measured.

    Parameters
    ----------
    rows : list of tuple of str
        What was measured, the result, and the ratio, which may be empty.
    command : str
        What measured it.
    browser : str
        Its name and version.
    head : tuple of str
        What stands over the columns.
    """
    lines = [f"| {' | '.join(row)} |" for row in [head, ("---",) * len(head), *rows]]
    machine = f"version {version()}, {os.cpu_count()} cores, {browser}, {time.strftime('%Y-%m-%d')}"
    return "\n".join(lines) + f"\n\nOne run of `{command}` ({machine}).\n"


def write(part: str, found: str) -> None:
    """Put a table between its marks in docs/benchmarks.md, and the figures into README.md."""
    measured = with_part(BENCHMARKS.read_text(encoding="utf-8"), part, found)
    readme = with_part(README.read_text(encoding="utf-8"), FIGURES, figures(measured))
    BENCHMARKS.write_text(measured, encoding="utf-8")
    README.write_text(readme, encoding="utf-8")


def with_part(text: str, part: str, contents: str) -> str:
    """A document with new contents between the marks ``<!-- part -->`` and ``<!-- /part -->``.

    Raises
    ------
    ValueError
        If it has no such marks.
    """
    start, end = f"<!-- {part} -->\n", f"<!-- /{part} -->"
    marked = re.compile(f"{re.escape(start)}.*?{re.escape(end)}", re.DOTALL)
    if not marked.search(text):
        raise ValueError(f"there are no marks <!-- {part} --> and <!-- /{part} -->")
    return marked.sub(lambda _: start + contents + end, text)


def figures(measured: str) -> str:
    """The five figures of README.md, from docs/benchmarks.md and the card of the default model."""
    cold, warm, slim_cold, slim_warm = (
        _row(measured, f"start, {kind}, interactive: page / bare Pyodide with {files}")[0]
        for files in ("numpy and Pillow, stock files", "our slim files")
        for kind in ("cold", "warm")
    )
    click, click_ratio = _row(measured, "click to label, warm tiles")
    survey, survey_ratio = _row(measured, "survey of")
    size = _row(measured, "whole application with the default model")[0].split(" / ")[0]
    inference = _row(measured, "inference, onnxruntime-web, 1 thread: shipped model")[1]
    test = _default_card()["measured"]["test"]["native"]
    rows = [
        ("Usable after, first visit / later", f"{_first(cold)} / {_first(warm)} s",
         f"bare Pyodide with numpy and Pillow {_second(cold)} / {_second(warm)} s, "
         f"with our slim files {_second(slim_cold)} / {_second(slim_warm)} s"),
        ("Click to label", f"{_first(click)} ms",
         f"{click_ratio} times as long as plain JavaScript with the same model"),
        ("Survey, squares per second", _first(survey),
         f"{survey_ratio} of the rate of a bare JavaScript loop that only runs the model"),
        ("Download, model and imagery included", f"{size} MB", "brotli"),
        ("Model, right on held-out images", f"{100 * test['accuracy']:.1f} % of {test['images']}",
         f"in {inference} of the time of EfficientNet-Lite0"),
    ]  # fmt: skip
    head = [("", "measured", "compared with"), ("---", "---", "---")]
    return "".join(f"| {' | '.join(row)} |\n" for row in [*head, *rows])


def _row(measured: str, start: str) -> tuple[str, str]:
    """Result and ratio of the first row that begins with some words."""
    found = re.search(rf"^\| {re.escape(start)}[^|]*\| ([^|]*) \| ([^|]*) \|$", measured, re.M)
    if found is None:
        raise ValueError(f"docs/benchmarks.md has no row that begins with {start!r}")
    return found[1].strip(), found[2].strip()


def _first(result: str) -> str:
    return result.split(" / ")[0]


def _second(result: str) -> str:
    return result.split(" / ")[1].split()[0]


def _default_card() -> dict:
    models = ROOT / "models"
    name = json.loads((models / "index.json").read_text())["default"]
    return json.loads((models / name / "card.json").read_text())
