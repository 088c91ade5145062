"""What other processes take is told from what the measurement takes itself."""

import subprocess
import sys
import time

import pytest

from tests.bench import load
from tests.bench import run as bench
from tests.bench.errors import BusyError
from tests.bench.load import (
    Facts,
    Load,
    Look,
    Process,
    Watch,
    look,
    refuse_if_busy,
    spent,
)

BURN = "while True: pass"
INIT, OTHER, OWN = Process(1, 0.0), Process(20, 5.0), Process(30, 6.0)


def facts(name, cpu_s, ended_s=0.0, parent=1, own=False):
    return Facts(name, f"/usr/bin/{name} on", parent, own, cpu_s, ended_s)


def at(second, **processes):
    """A look at processes by their names."""
    places = {"init": INIT, "other": OTHER, "own": OWN, "child": Process(21, 7.0)}
    return Look(float(second), {places[name]: each for name, each in processes.items()})


def test_only_what_others_take_counts():
    before = at(0, other=facts("other", 1), own=facts("own", 1, own=True))
    after = at(10, other=facts("other", 4), own=facts("own", 9, own=True))
    assert spent(before, after) == {OTHER: 3}


def test_a_process_with_the_same_number_is_another_one():
    before = Look(0.0, {Process(20, 1.0): facts("other", 100)})
    after = Look(1.0, {OTHER: facts("other", 0.5)})
    assert spent(before, after) == {OTHER: 0.5}


def test_what_came_and_went_is_its_parents():
    before = at(0, other=facts("make", 1, 10), child=facts("cc", 3, parent=20))
    after = at(10, other=facts("make", 1, 17))
    # Of the 7 s, 3 had been seen before.
    assert spent(before, after) == {OTHER: 4}


def test_orphans_of_ours_are_not_taken_for_others():
    """When a browser ends, its processes are handed to the first process of the system."""
    before = at(0, init=facts("init", 1), own=facts("browser", 5, own=True),
                child=facts("tab", 30, parent=30, own=True))  # fmt: skip
    after = at(10, init=facts("init", 1, 35))
    assert spent(before, after) == {}


def loaded(*cores):
    """What is said after so many seconds with so many cores taken by others."""
    found, total = Load(), 0.0
    for second, each in enumerate(cores):
        found.add(at(second, other=facts("make", total)),
                  at(second + 1, other=facts("make", total + each)))  # fmt: skip
        total += each
    return found


def test_a_quiet_machine_is_one_short_sentence(monkeypatch):
    monkeypatch.setattr(load.os, "cpu_count", lambda: 2)
    assert loaded(*[0.01] * 20).line() == (
        "Other processes took 0.01 of 2 cores meanwhile, 0.01 in their busiest second.\n"
    )


def test_a_table_says_for_how_long_a_core_was_busy_and_by_whom(monkeypatch):
    monkeypatch.setattr(load.os, "cpu_count", lambda: 2)
    found = loaded(*[0.0] * 8, 1.0, 1.5)
    assert found.is_spoilt
    assert found.line() == (
        "Other processes took 0.25 of 2 cores meanwhile, 1.50 in their busiest second, "
        "`make` most. **Not to be relied on**: for 2 of 10 s they kept a core busy.\n"
    )
    assert not loaded(*[0.0] * 39, 1.0).is_spoilt


def test_time_of_other_virtual_machines_is_told():
    found = Load()
    found.add(Look(0.0, {}, 5.0), Look(10.0, {}, 9.0))
    assert "; other virtual machines had 0.40." in found.line()


def test_nobody_takes_more_than_there_is(monkeypatch):
    """A process that was waited for late counts as its parent's all at once."""
    monkeypatch.setattr(load.os, "cpu_count", lambda: 2)
    found = Load()
    found.add(at(0, other=facts("init", 0)), at(1, other=facts("init", 0, 300)))
    assert found.cores == 2


def test_an_ended_process_is_seen_until_it_is_waited_for():
    """Else its parent would seem to have taken all of it at once."""
    with subprocess.Popen([sys.executable, "-c", "sum(range(10**6))"]) as child:
        while load.psutil.Process(child.pid).status() != load.psutil.STATUS_ZOMBIE:
            time.sleep(0.05)
        assert child.pid in {each.number for each in look().processes}


def test_our_own_children_are_ours():
    with subprocess.Popen([sys.executable, "-c", BURN]) as child:
        try:
            before = look()
            time.sleep(0.5)
            after = look()
        finally:
            child.kill()
    mine = [facts for each, facts in after.processes.items() if each.number == child.pid]
    assert mine[0].own
    assert child.pid not in {each.number for each in spent(before, after)}


@pytest.fixture
def stranger():
    """Number of a process that keeps a core busy and that none of ours has started any more."""
    start = f"import subprocess as s, sys; p = s.Popen([sys.executable, '-c', '{BURN}'], stdout=-3)"
    started = subprocess.check_output([sys.executable, "-c", f"{start}; print(p.pid)"], timeout=60)
    number = int(started)
    yield number
    load.psutil.Process(number).kill()


def alone(monkeypatch, number):
    """Have only our own processes and one other seen, whatever else this machine does."""
    whole = look

    def some():
        found = whole()
        kept = {p: f for p, f in found.processes.items() if f.own or p.number == number}
        return Look(found.at_s, kept)

    monkeypatch.setattr(load, "look", some)


def test_a_measurement_beside_a_busy_process_is_refused(stranger, monkeypatch, capsys):
    alone(monkeypatch, stranger)
    # However little of a core the other one gets on a busy machine.
    monkeypatch.setattr(load, "BUSY_CORES", 0.01)
    with pytest.raises(BusyError, match=rf"process {stranger}, .*of a core busy, so nothing was"):
        refuse_if_busy(0.5)
    monkeypatch.setattr(sys, "argv", ["python -m tests.bench", "report"])
    monkeypatch.setattr(bench, "measured", lambda _options: pytest.fail("it was measured"))
    assert bench.main() == 1
    assert "say --anyway" in capsys.readouterr().err


def test_anyway_measures_and_says_so(stranger, monkeypatch, capsys):
    alone(monkeypatch, stranger)
    monkeypatch.setattr(load, "BUSY_CORES", 0.01)

    def work(_options):
        time.sleep(2.5)
        return "| a table |\n"

    monkeypatch.setattr(bench, "measured", work)
    monkeypatch.setattr(sys, "argv", ["python -m tests.bench", "report", "--anyway"])
    assert bench.main() == 0
    assert "| a table |\n\nOther processes took " in (said := capsys.readouterr().out)
    assert "**Not to be relied on**" in said


def test_several_small_ones_are_refused_together(monkeypatch):
    monkeypatch.setattr(load, "BUSY_CORES", 0.5)
    before = at(0, other=facts("make", 0), child=facts("cc", 0))
    looks = [before, at(1, other=facts("make", 0.3), child=facts("cc", 0.4))]
    monkeypatch.setattr(load, "look", lambda: looks.pop(0))
    with pytest.raises(
        BusyError, match=r"^Other processes keep 0\.70 of a core busy, most of all cc"
    ):
        refuse_if_busy(0)


def test_a_quiet_machine_is_not_refused(monkeypatch):
    looks = [at(0, other=facts("make", 0)), at(1, other=facts("make", 0.1))]
    monkeypatch.setattr(load, "look", lambda: looks.pop(0))
    refuse_if_busy(0)


def test_what_was_measured_beside_others_is_not_written(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["python -m tests.bench", "survey", "--anyway", "--write"])
    with pytest.raises(SystemExit):
        bench.main()
    assert "leave out --anyway or --write" in capsys.readouterr().err


def test_a_spoilt_table_is_printed_and_not_written(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["python -m tests.bench", "survey", "--write"])
    monkeypatch.setattr(bench, "refuse_if_busy", lambda: None)
    monkeypatch.setattr(bench, "measured", lambda _options: "| a table |\n")
    monkeypatch.setattr(bench, "Watch", lambda: Spoilt())
    monkeypatch.setattr(bench, "write", lambda *_: pytest.fail("it was written"))
    assert bench.main() == 1
    said = capsys.readouterr()
    assert "| a table |" in said.out
    assert "Nothing was written" in said.err


class Spoilt(Watch):
    """Finds a core busy for ten seconds."""

    def __enter__(self):
        return loaded(*[1.0] * 10)

    def __exit__(self, *_):
        pass
