"""Measures surveys by workers of Dask: one against two, the scheduler, and what a square costs.

Real blocks of 16 x 16 squares are done by one worker and by two, over a server that repeats the
built-in tiles. For the scheduler, 64 threads that only sleep as long as 100 squares a second would
take are given 640 blocks.
"""

import statistics
import tempfile
import time
from pathlib import Path

from pyapp.core.ground.area import Area, rectangle
from pyapp.core.ground.geo import LngLat, moved
from pyapp.core.ground.grid import blocks, lattice
from pyapp.core.model.card import Card
from pyapp.native import cluster, worker
from tests.__main__ import ROOT
from tests.bench.survey import RepeatedTiles
from tests.jpeg_tiles import jpeg_tiles

MODEL, ZOOM, SIDE = "world", 19, 16
HERE = LngLat(85.5217, 27.6333)
BLOCKS = 4
# The simulated cluster.
SLEEPERS, RATE, SLEPT = 64, 100, 640


class CountedTiles(RepeatedTiles):
    """Repeated tiles that count their bytes."""

    sent = 0

    def _answer(self, path: str) -> tuple[int, bytes]:
        status, data = super()._answer(path)
        self.sent += len(data)
        return status, data


def measure(rounds: int) -> str:
    """Ratios and costs, as a table."""
    card = Card.from_json(MODEL, (ROOT / f"models/{MODEL}/card.json").read_text())
    rows, rates = [], {}
    with tempfile.TemporaryDirectory() as folder, CountedTiles(jpeg_tiles()) as tiles:
        for workers in (1, 2):
            found = [
                _rate(card, tiles, Path(folder), workers, f"{workers}-{each}")
                for each in range(rounds)
            ]
            rates[workers] = statistics.median(found)
            rows.append(f"| {workers} worker, squares/s | {rates[workers]:.1f} |")
        rows.append(f"| two workers against one | {rates[2] / rates[1]:.2f} |")
        written = [each.stat().st_size for each in Path(folder).glob("*/part-*.parquet")]
        squares = SIDE * SIDE * len(written)
        rows.append(f"| bytes written for a square | {sum(written) / squares:,.0f} |")
        rows.append(f"| bytes read for a square | {tiles.sent / squares:,.0f} |")
        again = 1 - len(set(tiles.asked)) / len(tiles.asked)
        rows.append(f"| tiles read more than once, blocks of {SIDE} x {SIDE} | {again:.1%} |")
    rows.append(
        f"| Dask's share of the time, {SLEEPERS} sleeping threads of {RATE} squares/s, blocks of "
        f"{SIDE * SIDE} squares | {_overhead():.1%} |"
    )
    return "\n".join(["| what | measured |", "| --- | --- |", *rows])


def _area(card: Card, place: int) -> Area:
    """An area of so many blocks, each place another."""
    corner = moved(HERE, 0.0, -place * 4 * SIDE * card.footprint_m)
    width = BLOCKS * SIDE * card.footprint_m - 1
    return rectangle(corner, moved(corner, width, -(SIDE * card.footprint_m - 1)))


def _rate(card: Card, tiles: CountedTiles, folder: Path, workers: int, name: str) -> float:
    """Squares a second once the workers have their model."""
    place = 10 * workers + int(name.split("-")[1]) + 1
    area, out = _area(card, place), folder / name
    out.mkdir()
    job = worker.Job(
        None, 1000.0, tiles.template, ZOOM, out, MODEL, card.sha256,
        lattice(area, card.footprint_m, 1.0).columns,
    )  # fmt: skip
    todo = list(blocks(area, card.footprint_m, 1.0, SIDE))
    with cluster._client(cluster.Cluster(workers)) as client:
        client.run(_warm, job)
        start = time.perf_counter()
        done = client.gather(
            [client.submit(worker.do_block, job, *each, pure=False) for each in todo]
        )
        elapsed_s = time.perf_counter() - start
    count = sum(each.squares for each in done)
    assert sum(each.classified for each in done) == count, "a tile was missing"
    return count / elapsed_s


def _warm(job: worker.Job) -> None:
    """Load the model of a worker."""
    home = worker._home(job)

    async def load() -> worker.Done:
        await home.parts()
        return worker.Done(0, 0, 0)

    home.run(load())


def _overhead() -> float:
    """Share of the time that workers don't sleep."""
    from distributed import Client, LocalCluster

    block_s = SIDE * SIDE / RATE
    with (
        LocalCluster(
            n_workers=1, threads_per_worker=SLEEPERS, processes=False, dashboard_address=":0",
            silence_logs=50,
        ) as local,
        Client(local) as client,
    ):  # fmt: skip
        client.gather([client.submit(time.sleep, 0.01, pure=False) for _ in range(SLEEPERS)])
        start = time.perf_counter()
        client.gather([client.submit(time.sleep, block_s, pure=False) for _ in range(SLEPT)])
        elapsed_s = time.perf_counter() - start
    return 1 - SLEPT / SLEEPERS * block_s / elapsed_s
