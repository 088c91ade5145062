"""Kills the browser at random moments of an update; afterwards a complete release must work."""

import contextlib
import hashlib
import json
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.conftest import launch_profile
from tests.browser.host import Host
from tests.browser.lookdown_page import LookdownPage

# What differs in the newer release: a small file and one of a megabyte.
CHANGED = ("style.css", "runtime/pyodide/pyodide.asm.mjs")
# From opening the page: it finds a newer release after about two seconds.
LATEST_S = 10.0
WHOLE = """async () => {
  const hex = buffer =>
    [...new Uint8Array(buffer)].map(byte => byte.toString(16).padStart(2, "0")).join("");
  const found = [];
  for (const path of %s) {
    const bytes = await (await fetch(path)).arrayBuffer();
    found.push(hex(await crypto.subtle.digest("SHA-256", bytes)));
  }
  return found;
}"""


def measure(dist: Path, work: Path, times: int, seed: int = 4) -> str:
    """Update, kill, go offline and look, so many times.

    Parameters
    ----------
    dist : Path
        The built site.
    work : Path
        An empty folder.
    times : int
    seed : int
        Chooses the moments.

    Returns
    -------
    str
        A sentence that says how often the old and the new release worked.

    Raises
    ------
    AssertionError
        If neither works completely.
    """
    moments = random.Random(seed)
    host = Host(dist, work / "host")
    outcomes = {"old": 0, "new": 0}
    with sync_playwright() as playwright:
        first = work / "first"
        context = launch_profile(playwright, first)
        page = _open(context, host)
        page.wait_kept()
        context.close()
        old = [hashlib.sha256((host.site / path).read_bytes()).hexdigest() for path in CHANGED]
        for path in CHANGED:
            host.release(path, (host.site / path).read_bytes() + b"\n/* the newer release */")
        new = [hashlib.sha256((host.site / path).read_bytes()).hexdigest() for path in CHANGED]
        for number in range(times):
            profile = work / f"profile-{number}"
            shutil.copytree(first, profile, ignore=shutil.ignore_patterns("Singleton*"))
            host.start()
            moment_s = moments.uniform(0, LATEST_S)
            _update_and_die(playwright, profile, host, moment_s)
            host.stop()
            context = launch_profile(playwright, profile)
            page = _open(context, host)
            assert page.classify().label
            found = page.tab.evaluate(WHOLE % json.dumps(CHANGED))
            context.close()
            shutil.rmtree(profile)
            assert found in (old, new), f"killed after {moment_s:.2f} s: a mixture"
            outcomes["old" if found == old else "new"] += 1
            print(f"{number + 1}: killed after {moment_s:.2f} s, {outcomes}", flush=True)
    return (
        f"Killed {times} times during an update: afterwards, without a network, the old release "
        f"worked completely {outcomes['old']} times, the new one {outcomes['new']} times."
    )


def _open(context, host) -> LookdownPage:
    page = LookdownPage(context.new_page(), host.address)
    page.open()
    return page


def _update_and_die(playwright, profile: Path, host: Host, moment_s: float) -> None:
    """Open the page, accept the newer release once it is offered, and die at the given moment."""
    context = launch_profile(playwright, profile)
    tab = context.new_page()
    start = time.monotonic()
    with contextlib.suppress(Exception):
        tab.goto(host.address, wait_until="commit")
        left_ms = max(1, 1000 * (moment_s - (time.monotonic() - start)))
        tab.click("#newer button.primary", timeout=left_ms)
        time.sleep(max(0, moment_s - (time.monotonic() - start)))
    # All of the browser at once, as when the battery runs out.
    subprocess.call(["pkill", f"-{signal.SIGKILL.value}", "-f", str(profile)])
    with contextlib.suppress(Exception):
        context.close()
