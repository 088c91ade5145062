"""Compares the page of the working tree with that of another revision, in turns, in one run."""

import io
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Error, Page, sync_playwright

from tests.__main__ import ROOT
from tests.bench.document import Row, table
from tests.bench.errors import RevisionError
from tests.bench.measure import CLICK, WARM_UP, build, compressed, default_card, start, wait_chosen
from tests.bench.paired import ratio
from tests.bench.survey import LAT, LNG, SAID, ZOOM, RepeatedTiles, empty_survey
from tests.browser.conftest import launch_profile
from tests.browser.lookdown_page import LookdownPage
from tests.jpeg_tiles import jpeg_tiles
from training.figures.measure import served

BUILD = (
    "import sys; sys.path.insert(0, 'site'); from pathlib import Path; "
    "from assembly.build import build; build(Path(sys.argv[1]))"
)
# Squares of a survey that each page looks at in its turn.
TURN = 120
SETTLE_S = 5
STARTS = {"interactive": "interactive", "ready": "first answer possible"}
SQUARES_DONE = f"+{SAID}.split(' ')[0].replace(',', '')"


class Side(NamedTuple):
    """One of the two pages."""

    name: str
    address: str
    dist: Path


def commit_of(revision: str, root: Path = ROOT) -> str:
    """The full name of the commit that a revision is.

    Raises
    ------
    RevisionError
        If there is none, or no git to ask.
    """
    command = ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"]
    try:
        found = _git(root, *command)
    except subprocess.CalledProcessError as error:
        raise RevisionError(
            f"There is no revision {revision!r} here: name a commit, a branch or a tag, as "
            "git log shows them."
        ) from error
    return found.decode().strip()


def lay_out(commit: str, folder: Path, root: Path = ROOT) -> None:
    """Write the files of a commit into a folder, and change nothing of the repository."""
    packed = _git(root, "archive", "--format=tar", commit)
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")


def build_commit(commit: str, folder: Path, root: Path = ROOT) -> Path:
    """Build the page of a commit by its own build; the folder of the site.

    Parameters
    ----------
    commit : str
    folder : Path
        Where its files and the site are put.
    root : Path
        The repository.

    Raises
    ------
    RevisionError
        If it can't be built.
    """
    lay_out(commit, folder / "files", root)
    dist = folder / "site"
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(dist)], cwd=folder / "files",
        stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise RevisionError(f"The page of {commit[:10]} can't be built: {said}")
    return dist


def _git(root: Path, *arguments: str) -> bytes:
    # Inside a hook, git's own variables would name another repository.
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        return subprocess.run(
            ["git", *arguments], cwd=root, env=own, capture_output=True, check=True
        ).stdout
    except FileNotFoundError as error:
        raise RevisionError("git is not there, so no other revision can be built.") from error


def compare(revision: str, rounds: int, clicks: int) -> str:
    """Build both and measure them in turns; a table in Markdown.

    Parameters
    ----------
    revision : str
        What git knows it by.
    rounds, clicks : int
        Turns of starts and of surveys, and answers of each.

    Raises
    ------
    RevisionError
        If there is no such revision, or its page can't be built or measured.
    """
    commit = commit_of(revision)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        work = Path(folder)
        new, old = work / "new", build_commit(commit, work / "old")
        build(new)
        same = (new / "files.json").read_bytes() == (old / "files.json").read_bytes()
        with served(new, compressed(new)) as mine, served(old, compressed(old)) as theirs:
            sides = (Side("new", mine, new), Side("old", theirs, old))
            try:
                rows, version = _measure(sides, work, rounds, clicks)
            except (Error, KeyError) as error:
                said = str(error).strip().splitlines()[0]
                raise RevisionError(
                    f"The pages of the working tree and of {revision} can't be compared, since one "
                    f"of them doesn't do what is measured: {said}"
                ) from error
    text = table(
        rows, f"python -m tests.bench --compare {revision}", f"headless Chromium {version}",
        ("what", f"working tree / {revision}", "ratio (interval)"),
    )  # fmt: skip
    turns = ratio([1.0] * rounds, [1.0] * rounds)
    note = (
        f"{rounds} turns of starts and surveys, {clicks} of clicks. Ratios are medians over the "
        f"turns; an interval holds the true one with {turns.sure:.0%} (of clicks: 90 % or more). "
    )
    if same:
        note += "**Both pages are the same, file by file**: what differs is noise. "
    return f"{text.rstrip()} {note}\n"


def _measure(
    sides: tuple[Side, Side], work: Path, rounds: int, clicks: int
) -> tuple[list[Row], str]:
    with sync_playwright() as playwright:
        rows = _starts(playwright, sides, work, rounds)
        context = launch_profile(playwright, work / "answers")
        rows += _answers(context, sides, clicks)
        rows += _surveys(context, sides, rounds)
        version = context.browser.version if context.browser else ""
        context.close()
    return rows, version


def in_turns(
    sides: tuple[Side, Side], turns: int, measure: Callable[[Side, int], dict[str, float]]
) -> dict[str, tuple[list[float], list[float]]]:
    """Measure both in each turn, the other one first in every second; the values of both."""
    found: dict[str, tuple[list[float], list[float]]] = {}
    for turn in range(turns):
        values = {}
        for side in sides if turn % 2 == 0 else sides[::-1]:
            values[side.name] = measure(side, turn)
        for name in values["new"]:
            mine, theirs = found.setdefault(name, ([], []))
            mine.append(values["new"][name])
            theirs.append(values["old"][name])
    return found


def _starts(playwright, sides: tuple[Side, Side], work: Path, rounds: int) -> list[Row]:
    def cold(side: Side, turn: int) -> dict[str, float]:
        context = launch_profile(playwright, work / f"cold-{side.name}-{turn}")
        found = start(context, side.address, "lookdown:interactive")
        context.close()
        return found

    rows = _rows("start, cold: {}", in_turns(sides, rounds, cold))
    context = launch_profile(playwright, work / "warm")

    def warm(side: Side, _turn: int) -> dict[str, float]:
        return start(context, side.address, "lookdown:interactive")

    in_turns(sides, WARM_UP, warm)
    rows += _rows("start, warm: {}", in_turns(sides, rounds, warm))
    context.close()
    return rows


def _rows(pattern: str, found: dict[str, tuple[list[float], list[float]]]) -> list[Row]:
    return [
        _row(pattern.format(label), *found[name], scale=1000, unit="s")
        for name, label in STARTS.items()
    ]


def _row(
    what: str,
    new: list[float],
    old: list[float],
    scale: float = 1.0,
    unit: str = "",
    less_is_better: bool = True,
) -> Row:
    middles = [statistics.median(each) / scale for each in (new, old)]
    digits = 2 if unit == "s" else 1
    measured = " / ".join(f"{each:.{digits}f}" for each in middles)
    return what, f"{measured} {unit}".strip(), ratio(new, old).told(less_is_better)


def _in_sittings(
    sides: tuple[Side, Side],
    turns: int,
    warm_up: int,
    open_side: Callable[[Side], Page],
    measure: Callable[[Page], float],
) -> tuple[list[float], list[float]]:
    """Measure in tabs that stay open, in turns; half of them with the other one opened first.

    Of two tabs with the same page, the one that was opened first is 3 % slower.
    """
    new: list[float] = []
    old: list[float] = []
    for order, share in ((sides, turns - turns // 2), (sides[::-1], turns // 2)):
        if not share:
            continue
        tabs = {side.name: open_side(side) for side in order}
        time.sleep(SETTLE_S)

        def measured(side: Side, _turn: int, tabs=tabs) -> dict[str, float]:
            tabs[side.name].bring_to_front()
            return {"value": measure(tabs[side.name])}

        in_turns(order, warm_up, measured)
        mine, theirs = in_turns(order, share, measured)["value"]
        new += mine
        old += theirs
        for tab in tabs.values():
            tab.close()
    return new, old


def _answers(context, sides: tuple[Side, Side], clicks: int) -> list[Row]:
    backends = {}

    def open_side(side: Side) -> Page:
        page = LookdownPage(context.new_page(), side.address)
        page.open()
        wait_chosen(page.tab)
        page.wait_kept()
        backends[side.name] = page.tab.text_content("#backend")
        return page.tab

    new, old = _in_sittings(sides, clicks, 5, open_side, lambda tab: tab.evaluate(CLICK)["total"])
    said = " / ".join(backends[side.name] for side in sides)
    return [_row(f"click to label, warm tiles ({said})", new, old, unit="ms")]


def _surveys(context, sides: tuple[Side, Side], rounds: int) -> list[Row]:
    squares = 2 * TURN * rounds
    with RepeatedTiles(jpeg_tiles()) as tiles:

        def open_side(side: Side) -> Page:
            page = LookdownPage(context.new_page(), side.address)
            page.open(f"?imagery={tiles.template}&maxzoom={ZOOM}#map=15/{LAT}/{LNG}")
            page.tab.click("#agree button[value=yes]")
            wait_chosen(page.tab)
            page.tab.wait_for_selector("#step option", state="attached")
            survey = empty_survey(default_card(side.dist), tiles.template, squares)
            page.drop("area.geojson", survey.encode())
            page.tab.wait_for_function(
                "document.getElementById('survey-pause').textContent === 'Resume'"
            )
            return page.tab

        new, old = _in_sittings(sides, rounds, 1, open_side, _rate)
    return [_row(f"survey, squares a second, {TURN} in a turn", new, old, less_is_better=False)]


def _rate(tab) -> float:
    """Go on with a survey for a while; squares a second."""
    before = tab.evaluate(SQUARES_DONE)
    started = time.monotonic()
    tab.evaluate("document.getElementById('survey-pause').click()")
    tab.wait_for_function(f"{SQUARES_DONE} >= {before + TURN}")
    tab.evaluate("document.getElementById('survey-pause').click()")
    tab.wait_for_function(f"{SAID}.includes('paused')")
    took_s = time.monotonic() - started
    return (tab.evaluate(SQUARES_DONE) - before) / took_s
