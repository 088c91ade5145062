"""Measures surveys by workers of Dask: one against two, the scheduler, and what a square costs.

Real blocks of 16 x 16 squares are done by one worker and by two: of a server on this machine that
repeats the built-in tiles, and takes its share of the cores, and of a PMTiles with the same tiles,
as one has the imagery of a country. For the scheduler, 64 threads that only sleep as long as 100
squares a second would take are given 640 blocks.
"""

import statistics
import tempfile
import time
from pathlib import Path

from pyapp.core.ground.area import Area, rectangle
from pyapp.core.ground.geo import LngLat, Tile, moved, tile_at
from pyapp.core.ground.grid import blocks, lattice
from pyapp.core.imagery.archive_facts import WORLD
from pyapp.core.imagery.pmtiles import Kind, tile_id
from pyapp.core.imagery.pmtiles_writer import written
from pyapp.core.model.card import Card
from pyapp.native import cluster, worker
from tests.__main__ import ROOT
from tests.bench.survey import RepeatedTiles
from tests.jpeg_tiles import jpeg_tiles

MODEL, ZOOM, SIDE = "world", 19, 16
HERE = LngLat(85.5217, 27.6333)
BLOCKS, ROWS = 4, 2
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
    rows = []
    with tempfile.TemporaryDirectory() as name, CountedTiles(jpeg_tiles()) as tiles:
        folder = Path(name)
        archive = folder / "tiles.pmtiles"
        _write(archive, tiles, [_area(card, each) for each in range(2 * rounds)])
        for imagery, read_from in ((tiles.template, "a server"), (str(archive), "a file")):
            # One and two take turns, each time at a place of their own.
            rates: dict[int, list[float]] = {1: [], 2: []}
            for place in range(2 * rounds):
                workers = 1 + place % 2
                out = folder / f"{read_from.split()[1]}-{place}"
                rates[workers].append(_rate(card, imagery, _area(card, place), out, workers))
            one, two = (statistics.median(each) for each in rates.values())
            rows.append(f"| tiles of {read_from}: one worker, squares/s | {one:.1f} |")
            rows.append(f"| tiles of {read_from}: two workers | {two:.1f}, {two / one:.2f} times |")
        sizes = [each.stat().st_size for each in folder.glob("server-*/part-*.parquet")]
        squares = SIDE * SIDE * len(sizes)
        rows.append(f"| bytes written for a square | {sum(sizes) / squares:,.0f} |")
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
    corner = moved(HERE, 0.0, -place * 2 * ROWS * SIDE * card.footprint_m)
    width, height = (each * SIDE * card.footprint_m - 1 for each in (BLOCKS, ROWS))
    return rectangle(corner, moved(corner, width, -height))


def _write(path: Path, tiles: RepeatedTiles, areas: list[Area]) -> None:
    """A PMTiles with all tiles of some areas."""
    found = set()
    for area in areas:
        west, south, east, north = area.bounds
        first, last = tile_at(LngLat(west, north), ZOOM), tile_at(LngLat(east, south), ZOOM)
        for x in range(first.x - 1, last.x + 2):
            found |= {Tile(x, y, ZOOM) for y in range(first.y - 1, last.y + 2)}
    ordered = sorted(found, key=tile_id)
    data = ((each, tiles._answer(f"/{each.z}/{each.x}/{each.y}.jpg")[1]) for each in ordered)
    path.write_bytes(b"".join(written(data, Kind.JPEG, WORLD, {})))
    tiles.sent = 0


def _rate(card: Card, imagery: str, area: Area, out: Path, workers: int) -> float:
    """Squares a second once the workers have their model."""
    out.mkdir()
    job = worker.Job(
        None, 1000.0, imagery, ZOOM, out, MODEL, card.sha256,
        lattice(area, card.footprint_m, 1.0).columns, SIDE,
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
