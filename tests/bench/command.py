"""Measures a survey by the command against a bare loop of onnxruntime over ready chips.

Both run in this process on one thread of the runtime, in turns, on the same squares of the
built-in imagery. On one core, reading and preparing take their time from the runtime; on all of
them they go on beside it.
"""

import asyncio
import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime

from pyapp.core.ground.area import rectangle
from pyapp.core.ground.geo import LngLat
from pyapp.core.ground.grid import plan
from pyapp.core.model.backend import WASM, Backend
from pyapp.core.state import CellState
from pyapp.native.records import SqliteRecords
from pyapp.native.setup import Native, opened
from pyapp.work.session import SurveySession
from pyapp.work.store import Store
from tests.__main__ import ROOT

AREA = rectangle(LngLat(85.5125, 27.6235), LngLat(85.5275, 27.6345))
STEP = 0.5
BATCHES = (1, 2, 4)


def measure(rounds: int) -> str:
    """Ratios of squares a second, as a table."""
    cores = os.sched_getaffinity(0)
    rows = []
    for name, allowed in (("one core", {min(cores)}), (f"{len(cores)} cores", cores)):
        os.sched_setaffinity(0, allowed)
        try:
            found = [asyncio.run(_round()) for _ in range(rounds)]
        finally:
            os.sched_setaffinity(0, cores)
        survey, bare = (statistics.median(each) for each in zip(*found, strict=True))
        rows.append(f"| {name} | {survey:.1f} | {bare:.1f} | {survey / bare:.2f} |")
    head = ["| on | survey, squares/s | bare loop, chips/s | ratio |", "| --- | --- | --- | --- |"]
    return "\n".join([*head, *rows])


async def _round() -> tuple[float, float]:
    """Squares a second of a survey, and chips a second of the bare loop."""
    # Of the runtime's threads; those of the machine are another matter.
    async with opened(cores=1) as native:
        await native.use(None)
        survey, chips = await _surveyed(native)
        return survey, _bare(native, chips)


async def _surveyed(native: Native) -> tuple[float, np.ndarray]:
    card = native.models.card
    chips: list[np.ndarray] = []
    with tempfile.TemporaryDirectory() as folder:
        records = SqliteRecords(Path(folder) / "part")
        session = SurveySession(
            native.models, native.ground, Store(records), native.clock, native.tasks, native.busy
        )
        source = native.sources[0]
        found = session.begin(AREA, plan(AREA, card.footprint_m, STEP), source)
        start = time.perf_counter()
        session.work_on(found, source)
        await native.tasks.finish()
        elapsed_s = time.perf_counter() - start
        records.close()
    count = found.count(CellState.CLASSIFIED)
    assert count > 500 and not found.count(CellState.WAITING)
    for number in np.flatnonzero(found.classified)[:200].tolist():
        chips.append((await native.ground.chip(source, found.grid.footprint(number), card)).pixels)
    return count / elapsed_s, np.stack(chips)


def _bare(native: Native, chips: np.ndarray) -> float:
    """Chips a second of the batch size that is the fastest."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = Backend(WASM, 1).threads
    options.inter_op_num_threads = 1
    path = ROOT / "models" / native.models.card.name / "model.onnx"
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    best = 0.0
    for size in BATCHES:
        batches = [chips[start : start + size] for start in range(0, len(chips), size)]
        session.run(None, {"image": batches[0]})
        start = time.perf_counter()
        for batch in batches:
            session.run(None, {"image": batch})
        best = max(best, len(chips) / (time.perf_counter() - start))
    return best
