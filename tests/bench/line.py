"""Measures a first visit over a slow line: 20 Mbit/s and 40 ms, shared by all requests."""

import statistics
import sys
import threading
import time
from pathlib import Path
from typing import ClassVar

from tests.bench.document import Row
from tests.browser.conftest import ROOT, launch_profile

sys.path.insert(0, str(ROOT / "site"))

from assembly import server
from assembly.build import compressed

BYTES_PER_S = 20e6 / 8
DELAY_S = 0.04
CHUNK = 16384


class SlowHandler(server.Handler):
    """Answers after the delay of the line, and sends no faster than it carries."""

    # Shared by all connections.
    _lock = threading.Lock()
    _free_at: ClassVar[dict[str, float]] = {"s": 0.0}

    def _answer(self, with_body: bool) -> None:
        time.sleep(DELAY_S)
        super()._answer(with_body)

    def _send(self, file: Path, start: int, count: int) -> None:
        with file.open("rb") as opened:
            opened.seek(start)
            while count > 0 and (chunk := opened.read(min(CHUNK, count))):
                time.sleep(max(0.0, self._slot(len(chunk)) - time.monotonic()))
                self.wfile.write(chunk)
                count -= len(chunk)

    def _slot(self, size: int) -> float:
        """When the line will have carried so many more bytes."""
        with self._lock:
            self._free_at["s"] = max(time.monotonic(), self._free_at["s"]) + size / BYTES_PER_S
            return self._free_at["s"]


def measure(playwright, dist: Path, work: Path, rounds: int) -> list[Row]:
    """First visits over the line: one row of the table."""
    starts = []
    with server.SiteServer(dist, 0, compressed(dist)) as running:
        running.RequestHandlerClass = SlowHandler
        threading.Thread(target=running.serve_forever, daemon=True).start()
        for number in range(rounds):
            context = launch_profile(playwright, work / f"line-{number}")
            starts.append(_start(context, running.address))
            context.close()
        running.shutdown()
    middle = [statistics.median(each) / 1000 for each in zip(*starts, strict=True)]
    return [
        ("start, cold, 20 Mbit/s and 40 ms: something to look at, map and square usable, "
         "first answer possible", ", ".join(f"{each:.2f} s" for each in middle), "")
    ]  # fmt: skip


def _start(context, address: str) -> tuple[float, float, float]:
    """First paint, usable and ready, in ms from navigation."""
    tab = context.new_page()
    tab.goto(address, wait_until="commit")
    tab.wait_for_selector("html[data-ready]", state="attached", timeout=120_000)
    at = "performance.getEntriesByName('{}')[0].startTime"
    names = ("first-contentful-paint", "lookdown:interactive", "lookdown:model")
    return tuple(tab.evaluate(at.format(name)) for name in names)
