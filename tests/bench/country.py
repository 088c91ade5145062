"""Measures what long surveys by workers need: memory over many squares, and what kills leave.

The tiles are the built-in ones, repeated over the world by a server on the same machine.

``many`` surveys a million squares of one area from tiles of zoom 15, of which one holds 180
squares, so that the server is asked for little. Memory is read from the operating system. Ctrl-C
ends it, with the figures so far.

``breaks`` surveys an area while something is killed again and again: a worker, all processes, or
the scheduler of a cluster that was there before. The server fails to send one tile in a hundred
and sends one in a thousand never. At the end the data set is compared with that of an unbroken run.
"""

import random
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import psutil

from pyapp.core.ground.geo import moved
from pyapp.core.model.card import Card
from pyapp.native import worker
from pyapp.native.errors import DONE
from tests.__main__ import ROOT
from tests.bench.cluster import HERE, MODEL
from tests.bench.survey import RepeatedTiles
from tests.native.conftest import area_file, command, dask_cluster

WORKERS, COARSE_ZOOM, FINE_ZOOM = 2, 15, 18
LOOK_S = 2.0
SETTLED = 50_000
# Of `breaks`: squares to a side of the area and of a block, and when something is killed.
SIDE, BLOCK, SOONEST_S, LATEST_S = 48, 6, 2.0, 9.0
FAILING, STALLING, STALLED_S = 0.01, 0.001, 40.0
KINDS = ("worker", "all processes", "scheduler")


class FaultyTiles(RepeatedTiles):
    """Repeated tiles, of which some don't arrive when they are asked for."""

    def __init__(self, folder: Path, chance: random.Random):
        super().__init__(folder)
        self._chance = chance
        self.failed = self.stalled = 0

    def _answer(self, path: str) -> tuple[int, bytes]:
        drawn = self._chance.random()
        if drawn < STALLING:
            self.stalled += 1
            self._closing.wait(STALLED_S)
        elif drawn < STALLING + FAILING:
            self.failed += 1
            return 500, b"broken"
        return super()._answer(path)


def many(squares: int) -> str:
    """Memory of the processes while so many squares are surveyed, as a table."""
    from tests.jpeg_tiles import jpeg_tiles

    side = round(squares**0.5)
    with (
        tempfile.TemporaryDirectory() as folder,
        RepeatedTiles(jpeg_tiles()) as tiles,
    ):
        out = Path(folder) / "many"
        order = _order(Path(folder), out, side, tiles.template, COARSE_ZOOM)
        seen: list[tuple[int, float, float]] = []
        start = time.perf_counter()
        with subprocess.Popen(command(*order, "--workers", WORKERS, "--quiet")) as running:
            try:
                while running.poll() is None:
                    time.sleep(LOOK_S)
                    sizes = _sizes_mb(running.pid)
                    if sizes:
                        done = len(list(out.glob("part-*.parquet"))) * worker.BLOCK**2
                        seen.append((done, sizes[0], max(sizes[1:], default=0.0)))
            except KeyboardInterrupt:
                # An hour's figures are worth having, even if nobody waits for the end.
                running.terminate()
                squares = seen[-1][0] if seen else 0
            else:
                squares = side * side
                assert running.returncode == DONE
        elapsed_s = time.perf_counter() - start
        written = sum(each.stat().st_size for each in out.glob("part-*"))
    return _memory_table(squares, seen, elapsed_s, written)


def _memory_table(
    squares: int, seen: list[tuple[int, float, float]], elapsed_s: float, written: int
) -> str:
    rows = ["| what | measured |", "| --- | --- |"]
    rows.append(f"| squares, {WORKERS} workers | {squares:,} in {elapsed_s / 60:.0f} min |")
    for name, place in (("the process that gives out blocks", 1), ("the largest worker", 2)):
        early = max((each[place] for each in seen if each[0] <= SETTLED), default=0.0)
        late = max((each[place] for each in seen if each[0] > SETTLED), default=0.0)
        rows.append(
            f"| memory of {name}: at most in the first {SETTLED:,} squares, after them "
            f"| {early:.0f}, {late:.0f} MB |"
        )
    rows.append(f"| written | {written / 1e9:.2f} GB |")
    return "\n".join(rows)


def _sizes_mb(pid: int) -> list[float]:
    """Resident memory of a process, and of each process that it has started."""
    try:
        main = psutil.Process(pid)
        return [each.memory_info().rss / 1e6 for each in (main, *main.children(recursive=True))]
    except psutil.Error:
        return []


def breaks(times: int) -> str:
    """What is left after something was killed so often, as a table."""
    from tests.jpeg_tiles import jpeg_tiles

    chance = random.Random(7)
    killed = dict.fromkeys(KINDS, 0)
    with (
        tempfile.TemporaryDirectory() as name,
        RepeatedTiles(jpeg_tiles()) as well,
        FaultyTiles(jpeg_tiles(), random.Random(8)) as faulty,
    ):
        folder = Path(name)
        unbroken, broken = folder / "unbroken", folder / "broken"
        order = _order(folder, unbroken, SIDE, well.template, FINE_ZOOM)
        workers = ("--workers", WORKERS, "--block", BLOCK, "--quiet")
        subprocess.run(command(*order, *workers), check=True, stdout=subprocess.DEVNULL)
        order = _order(folder, broken, SIDE, faulty.template, FINE_ZOOM)
        runs = 0
        while sum(killed.values()) < times:
            kind = KINDS[sum(killed.values()) % len(KINDS)]
            _kill_once(order, kind, chance, folder)
            killed[kind] += 1
            runs += 1
            if _is_whole(broken, unbroken):
                # Once all is there, the next kill meets a survey of its own.
                assert _rows(broken) == _rows(unbroken), "a kill left another data set"
                for each in list(broken.glob("part-*"))[:: chance.randint(1, 3)]:
                    each.unlink()
        subprocess.run(command(*order, *workers, "--resume"), check=True, stdout=subprocess.DEVNULL)
        same = _rows(broken) == _rows(unbroken)
        again = list(broken.glob("*.again"))
        left = [each.name for each in broken.iterdir() if each.name.startswith(".")]
    rows = ["| what | measured |", "| --- | --- |"]
    rows += [f"| killed: {kind} | {count} times |" for kind, count in killed.items()]
    rows.append(f"| tiles that failed, that never came | {faulty.failed}, {faulty.stalled} |")
    rows.append(f"| data set as of an unbroken run, {SIDE * SIDE:,} squares | {same} |")
    rows.append(f"| squares to do again, other files left | {len(again)}, {len(left)} |")
    return "\n".join(rows)


def _kill_once(order: list[str], kind: str, chance: random.Random, folder: Path) -> None:
    """Go on with the survey until something of it is killed."""
    wait_s = chance.uniform(SOONEST_S, LATEST_S)
    if kind == "scheduler":
        with (
            dask_cluster(folder, WORKERS) as (scheduler, address),
            _running(order, "--scheduler", address) as running,
        ):
            time.sleep(wait_s)
            scheduler.kill()
            running.wait(120)
        return
    with _running(order, "--workers", str(WORKERS)) as running:
        time.sleep(wait_s)
        started = [each for each in _started(running.pid) if "spawn_main" in " ".join(each[1])]
        if kind == "worker":
            if started:
                psutil.Process(chance.choice(started)[0]).kill()
            running.wait(600)
            return
        running.send_signal(signal.SIGKILL)
        running.wait(60)
        # Workers end by themselves once nobody gives them work.
        psutil.wait_procs([psutil.Process(pid) for pid, _ in started if psutil.pid_exists(pid)], 60)


def _started(pid: int) -> list[tuple[int, list[str]]]:
    try:
        children = psutil.Process(pid).children(recursive=True)
        return [(each.pid, each.cmdline()) for each in children]
    except psutil.Error:
        return []


@contextmanager
def _running(order: list[str], *where: str):
    what = command(*order, "--block", BLOCK, "--quiet", "--resume", *where)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(what, cwd=ROOT, **quiet) as running:
        try:
            yield running
        finally:
            running.kill()


def _order(folder: Path, out: Path, side: int, template: str, zoom: int) -> list[str]:
    card = Card.from_json(MODEL, (ROOT / f"models/{MODEL}/card.json").read_text())
    far = moved(HERE, (side - 0.5) * card.footprint_m, -(side - 0.5) * card.footprint_m)
    area = area_file(folder / "area.geojson", HERE.lng, far.lat, far.lng, HERE.lat)
    return ["--rate", "1000", "survey", str(area), "--out", str(out), "--model", MODEL,
            "--imagery", template, "--finest-zoom", str(zoom)]  # fmt: skip


def _is_whole(broken: Path, unbroken: Path) -> bool:
    wanted = {each.name for each in unbroken.glob("part-*.parquet")}
    return {each.name for each in broken.glob("part-*.parquet")} == wanted


def _rows(folder: Path) -> dict[int, dict[str, object]]:
    """All that a data set says, by cell."""
    from pyarrow import parquet

    found: dict[int, dict[str, object]] = {}
    for file in sorted(folder.glob("part-*.parquet")):
        for row in parquet.read_table(file).to_pylist():
            assert row["cell"] not in found, "a square is there twice"
            found[row["cell"]] = row
    return found
