"""The rest of the page begins a little at a time."""

import asyncio
import sys

import pytest

from pyapp.work.gently import SLICE_MS, Pauses, import_all, modules_below
from tests.work.fakes import FakeClock, run


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of two parts, of which one is compiled, as on the page."""
    for path in ("core/__init__.py", "core/rooms/a.py", "ui/c.pyc", "ui/b.py", "other/d.py"):
        file = tmp_path / "gentle" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path / "gentle"
    for name in [each for each in sys.modules if each.startswith("gentle")]:
        del sys.modules[name]


def test_modules_come_part_by_part(package):
    found = modules_below(package, ("ui", "core"))
    assert found == ["gentle.ui.b", "gentle.ui.c", "gentle.core.rooms.a"]


def test_modules_are_imported_once(package):
    run(import_all(["gentle.core.rooms.a"], Pauses(FakeClock())))
    assert "gentle.core.rooms.a" in sys.modules
    assert modules_below(package, ("core",)) == []


def test_others_have_their_turn_after_a_slice_and_not_before():
    clock, turns = FakeClock(), []

    async def work():
        pauses = Pauses(clock)
        for took_ms in (1, SLICE_MS, 1):
            clock.now += took_ms
            turns.append("work")
            await pauses.pause()

    async def other():
        turns.append("other")

    async def both():
        await asyncio.gather(work(), other())

    run(both())
    assert turns == ["work", "work", "other", "work"]
