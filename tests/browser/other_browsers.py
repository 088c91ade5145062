"""Firefox and WebKit as Debian has them, with the few verbs that tests need."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import websocket
from selenium import webdriver
from selenium.webdriver.webkitgtk.options import Options
from selenium.webdriver.webkitgtk.service import Service

PATIENCE_S = 120.0
DISPLAY = ":87"


class Firefox:
    """Firefox without a window, over WebDriver BiDi (https://w3c.github.io/webdriver-bidi)."""

    program = shutil.which("firefox-esr") or shutil.which("firefox")

    def __init__(self, folder: Path):
        command = [self.program, "--headless", "--no-remote", "--profile", str(folder),
                   "--remote-debugging-port", "0"]  # fmt: skip
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        for line in self._process.stderr:
            found = re.search(r"BiDi listening on (ws://\S+)", line)
            if found:
                break
        self._socket = websocket.create_connection(
            f"{found[1]}/session", suppress_origin=True, timeout=PATIENCE_S
        )
        self._count = 0
        self._send("session.new", capabilities={})
        self._tab = self._send("browsingContext.getTree")["contexts"][0]["context"]

    def _send(self, method: str, **params):
        self._count += 1
        self._socket.send(json.dumps({"id": self._count, "method": method, "params": params}))
        while True:
            reply = json.loads(self._socket.recv())
            if reply.get("id") == self._count:
                if reply["type"] == "error":
                    raise RuntimeError(reply["message"])
                return reply["result"]

    def open(self, address: str) -> None:
        """Load a page."""
        self._send("browsingContext.navigate", context=self._tab, url=address, wait="complete")

    def get(self, expression: str):
        """The value of a JavaScript expression, by way of JSON."""
        reply = self._send(
            "script.evaluate",
            expression=f"JSON.stringify({expression}) ?? 'null'",
            target={"context": self._tab},
            awaitPromise=False,
        )
        if reply["type"] == "exception":
            raise RuntimeError(reply["exceptionDetails"]["text"])
        return json.loads(reply["result"]["value"])

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()


class WebKit:
    """WebKitGTK's little browser on a display of its own, over WebDriver."""

    driver = shutil.which("WebKitWebDriver")
    program = next(
        iter(sorted(map(str, Path("/usr/lib").glob("*/webkit2gtk-4*/MiniBrowser")))), None
    )

    def __init__(self, _folder: Path):
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._screen = subprocess.Popen(["Xvfb", DISPLAY, "-screen", "0", "1280x900x24"], **quiet)
        options = Options()
        options.binary_location = self.program
        options.add_argument("--automation")
        with _environment(DISPLAY=DISPLAY):
            time.sleep(1)
            self._driver = webdriver.WebKitGTK(options=options, service=Service(self.driver))

    def open(self, address: str) -> None:
        """Load a page."""
        self._driver.get(address)

    def get(self, expression: str):
        """The value of a JavaScript expression."""
        return self._driver.execute_script(f"return {expression}")

    def close(self) -> None:
        """End it."""
        self._driver.quit()
        self._screen.kill()
        self._screen.wait()


@contextlib.contextmanager
def _environment(**values: str):
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def wait_for(browser, expression: str) -> None:
    """Wait until a JavaScript expression is true."""
    end = time.monotonic() + PATIENCE_S
    while not browser.get(f"Boolean({expression})"):
        if time.monotonic() > end:
            raise TimeoutError(f"{expression} did not come true")
        time.sleep(0.25)


MISSING = {
    Firefox: None if Firefox.program else "no Firefox",
    WebKit: None if WebKit.driver and WebKit.program and shutil.which("Xvfb") else "no WebKitGTK",
}
