"""Chromium with as little observation as possible, for measuring memory.

Playwright listens to the network, so the page's process holds the bodies of all responses, up to
200 MB.
"""

import itertools
import json
import re
import subprocess
import time
from pathlib import Path

import websocket
from playwright.sync_api import sync_playwright

from tests.browser.conftest import FLAGS
from training.figures.measure import find_browser

PATIENCE_S = 120
STEP_S = 0.2


def playwrights_own() -> str:
    """Path of the Chromium that Playwright downloads."""
    with sync_playwright() as running:
        return running.chromium.executable_path


class BareBrowser:
    """One tab of a Chromium of its own.

    Parameters
    ----------
    profile : Path
        An empty folder.
    """

    def __init__(self, profile: Path):
        path = find_browser() or playwrights_own()
        command = [path, "--headless=new", "--remote-debugging-port=0", "--window-size=1280,800",
                   f"--user-data-dir={profile}", *FLAGS, "about:blank"]  # fmt: skip
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        line = next(line for line in self._process.stderr if "DevTools listening" in line)
        self._socket = websocket.create_connection(
            re.search(r"ws://\S+", line)[0], suppress_origin=True, timeout=PATIENCE_S
        )
        self._numbers = itertools.count(1)
        self._events: list[dict] = []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        attached = self.ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()
        self._process.terminate()
        self._process.wait()

    def ask(self, method: str, session: str | None = None, **given) -> dict:
        """Call a method of the protocol."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": given}
        self._socket.send(json.dumps(message | ({"sessionId": session} if session else {})))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("id") == number:
                assert "error" not in answer, answer["error"]
                return answer["result"]
            self._events.append(answer)

    def goto(self, address: str) -> None:
        """Go to a page."""
        self.ask("Page.navigate", self._session, url=address)

    def page(self, method: str, **given) -> dict:
        """Call a method of the protocol for the page."""
        return self.ask(method, self._session, **given)

    def evaluate(self, script: str, limit_s: float = PATIENCE_S):
        """The value of an expression, once its promise is fulfilled."""
        self._socket.settimeout(limit_s)
        answer = self.ask("Runtime.evaluate", self._session, expression=script,
                          awaitPromise=True, returnByValue=True, userGesture=True)  # fmt: skip
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, condition: str, limit_s: float = PATIENCE_S) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + limit_s
        while not self.evaluate(f"Boolean({condition})"):
            if time.monotonic() > end:
                raise TimeoutError(condition)
            time.sleep(STEP_S)

    def mouse(self, kind: str, x: float, y: float) -> None:
        """``mouseMoved``, ``mousePressed`` or ``mouseReleased`` at a point of the window."""
        buttons = {} if kind == "mouseMoved" else {"clickCount": 1}
        self.ask("Input.dispatchMouseEvent", self._session, type=kind, x=x, y=y, button="left",
                 buttons=1, **buttons)  # fmt: skip

    def trace(self, category: str, meanwhile) -> list[dict]:
        """The events of a category while ``meanwhile()`` runs."""
        self._events.clear()
        config = {"includedCategories": [category], "excludedCategories": ["*"]}
        self.ask("Tracing.start", traceConfig=config, transferMode="ReportEvents")
        meanwhile()
        self.ask("Tracing.end")
        while not any(each["method"] == "Tracing.tracingComplete" for each in self._events):
            self._events.append(json.loads(self._socket.recv()))
        parts = [each["params"]["value"] for each in self._events
                 if each["method"] == "Tracing.dataCollected"]  # fmt: skip
        return [event for part in parts for event in part]
