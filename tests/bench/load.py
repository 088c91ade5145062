"""What other processes take while something is measured, which tells what a table is worth.

psutil looks at them, on Linux, macOS and Windows alike; where it may not look at a process of
another user, that one is left out.
"""

import os
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import psutil

from tests.bench.errors import BusyError

# Others that take so much of a core, on average, keep one busy.
BUSY_CORES = 0.5
LOOK_S = 3.0
STEP_S = 1.0
# A table is to be relied on if others kept a core busy for at most this share of its time.
SPOILT = 0.05
# What is worth a name under a table, in cores.
NAMED_CORES = 0.05
COMMAND_CHARACTERS = 60


class Process(NamedTuple):
    """A process, however often its number is given again."""

    number: int
    begun_s: float


@dataclass(frozen=True)
class Facts:
    """What a look at a process found.

    Attributes
    ----------
    name, command : str
    parent : int
        Number of the process that started it.
    own : bool
        Whether it is this one, or was started by it or by what it started.
    cpu_s, ended_s : float
        CPU seconds of itself, and of its children that have ended, where the system tells.
    """

    name: str
    command: str
    parent: int
    own: bool
    cpu_s: float
    ended_s: float


@dataclass(frozen=True)
class Look:
    """All processes at one moment; ``stolen_s`` is what other virtual machines had instead."""

    at_s: float
    processes: Mapping[Process, Facts]
    stolen_s: float = 0.0


def look() -> Look:
    """Look at all processes now."""
    own = {os.getpid()} | {each.pid for each in psutil.Process().children(recursive=True)}
    found = {}
    # What may not be known is None: so much of other users' processes, the command of ended ones.
    for each in psutil.process_iter(["pid", "ppid", "create_time", "name", "cmdline", "cpu_times"]):
        known = each.info
        if (times := known["cpu_times"]) is None:
            continue
        found[Process(known["pid"], known["create_time"])] = Facts(
            known["name"] or "?",
            " ".join(known["cmdline"] or ())[:COMMAND_CHARACTERS],
            known["ppid"],
            known["pid"] in own,
            times.user + times.system,
            times.children_user + times.children_system,
        )
    return Look(time.monotonic(), found, getattr(psutil.cpu_times(), "steal", 0.0))


def spent(before: Look, after: Look) -> Counter[Process]:
    """CPU seconds that each process which is not ours took between two looks.

    One that came and went in between counts as its parent's, which knows what it took.
    """
    took: Counter[Process] = Counter()
    # What parents will have been told of, but which was seen before.
    known: Counter[int] = Counter()
    orphaned_s = 0.0
    there = {each.number for each in after.processes}
    for each, facts in before.processes.items():
        if each not in after.processes:
            known[facts.parent] += facts.cpu_s + facts.ended_s
            if facts.parent not in there:
                orphaned_s += facts.cpu_s + facts.ended_s
    for each, facts in after.processes.items():
        if facts.own:
            continue
        earlier = before.processes.get(each)
        took[each] = facts.cpu_s - (earlier.cpu_s if earlier else 0.0)
        hidden_s = facts.ended_s - (earlier.ended_s if earlier else 0.0) - known[each.number]
        # Whoever takes care of orphans is told of them.
        orphans_s = min(max(hidden_s, 0.0), orphaned_s)
        orphaned_s -= orphans_s
        took[each] += max(hidden_s - orphans_s, 0.0)
    return +took


@dataclass
class Load:
    """What other processes took while something was measured.

    Attributes
    ----------
    took_s : float
        How long it was observed.
    disturbed_s : float
        For how long of it others took `BUSY_CORES` or more.
    most_cores : float
        What they took in their busiest second.
    stolen_s : float
        CPU seconds that other virtual machines had instead, where the system tells.
    cpu_s : Counter of Process to float
    names : dict of Process to Facts
    """

    took_s: float = 0.0
    disturbed_s: float = 0.0
    most_cores: float = 0.0
    stolen_s: float = 0.0
    cpu_s: Counter[Process] = field(default_factory=Counter)
    names: dict[Process, Facts] = field(default_factory=dict)

    def add(self, before: Look, after: Look) -> None:
        """Add what happened between two looks."""
        took_s = after.at_s - before.at_s
        took = spent(before, after)
        # A parent may be told late of what a child took long ago: no more than there is.
        most_s = took_s * (os.cpu_count() or 1)
        took = Counter({each: min(cpu_s, most_s) for each, cpu_s in took.items()})
        cores = took.total() / took_s
        self.cpu_s.update(took)
        self.names |= {each: after.processes[each] for each in took}
        self.took_s += took_s
        self.stolen_s += after.stolen_s - before.stolen_s
        self.most_cores = max(self.most_cores, cores)
        if cores >= BUSY_CORES:
            self.disturbed_s += took_s

    @property
    def cores(self) -> float:
        """Cores that others kept busy, on average."""
        return self.cpu_s.total() / self.took_s if self.took_s else 0.0

    @property
    def is_spoilt(self) -> bool:
        """Whether others kept a core busy for too long for the result to be relied on."""
        return self.disturbed_s > SPOILT * self.took_s

    def line(self) -> str:
        """A sentence to stand under a table."""
        text = (
            f"Other processes took {self.cores:.2f} of {os.cpu_count()} cores meanwhile, "
            f"{self.most_cores:.2f} in their busiest second"
        )
        for each, cpu_s in self.cpu_s.most_common(1):
            if cpu_s >= NAMED_CORES * self.took_s:
                text += f", `{self.names[each].name}` most"
        if self.stolen_s >= NAMED_CORES * self.took_s:
            text += f"; other virtual machines had {self.stolen_s / self.took_s:.2f}"
        if self.is_spoilt:
            text += (
                f". **Not to be relied on**: for {self.disturbed_s:.0f} of {self.took_s:.0f} s "
                "they kept a core busy"
            )
        return f"{text}.\n"


class Watch:
    """Observes the load from entering to leaving it: ``with Watch() as load``."""

    def __init__(self) -> None:
        self._load = Load()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._observe, daemon=True)

    def __enter__(self) -> Load:
        self._thread.start()
        return self._load

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _observe(self) -> None:
        before = look()
        while not self._ended.wait(STEP_S):
            after = look()
            self._load.add(before, after)
            before = after


def refuse_if_busy(look_s: float = LOOK_S) -> None:
    """Observe other processes for some seconds.

    Raises
    ------
    BusyError
        If they keep a core busy.
    """
    before = look()
    time.sleep(look_s)
    load = Load()
    load.add(before, look())
    if load.cores < BUSY_CORES:
        return
    busiest, cpu_s = load.cpu_s.most_common(1)[0]
    facts = load.names[busiest]
    named = f"{facts.name} (process {busiest.number}, {facts.command or 'of the system'})"
    cores = cpu_s / load.took_s
    if cores >= BUSY_CORES:
        what = f"{named} keeps {cores:.2f} of a core busy"
    else:
        what = f"Other processes keep {load.cores:.2f} of a core busy, most of all {named}"
    raise BusyError(
        f"{what}, so nothing was measured. End it or wait, or say --anyway to measure beside it."
    )
