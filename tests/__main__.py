"""``python -m tests``: set up everything the tests need, then run them all.

Arguments go to pytest: ``python -m tests tests/core -k geo``. The first run makes a virtual
environment in ``.venv`` and looks for a browser; later runs find both.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "lookdown-setup.txt"
BROWSER_NOTE = VENV / "lookdown-browser.txt"
SYSTEM_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OWN_BROWSER = "playwright"


def main() -> int:
    """Set up, run pytest, and return its exit code."""
    prepare()
    environment = os.environ | {"LOOKDOWN_CHROMIUM": BROWSER_NOTE.read_text()}
    command = [str(PYTHON), "-m", "pytest", *sys.argv[1:]]
    return subprocess.call(command, cwd=ROOT, env=environment)


def prepare() -> None:
    """Make the virtual environment and find a browser, unless that is done already."""
    wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    if not (STAMP.exists() and STAMP.read_text() == wanted):
        install_packages()
        STAMP.write_text(wanted)
    note = BROWSER_NOTE.read_text() if BROWSER_NOTE.exists() else ""
    if note != OWN_BROWSER and not (note and Path(note).exists()):
        BROWSER_NOTE.write_text(find_browser())


def install_packages() -> None:
    """Install what pyproject.toml names for tests, with pip, in a virtual environment."""
    print("Setting up .venv; torch is large, so the first time takes minutes.", flush=True)
    try:
        venv.create(VENV, with_pip=True)
    except (subprocess.CalledProcessError, ImportError):
        sys.exit(
            "This Python cannot make a virtual environment. Install its venv module (on Debian: "
            "apt-get install python3-venv) and run python -m tests again."
        )
    pip = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
    if subprocess.call([*pip, ".[test]"], cwd=ROOT):
        sys.exit("pip could not install what the tests need: see its message above.")


def find_browser() -> str:
    """A Chromium: Playwright's own where it can be downloaded, else the system's.

    Returns
    -------
    str
        The path of the system's browser, or `OWN_BROWSER`.
    """
    print("Looking for a Chromium.", flush=True)
    download = [str(PYTHON), "-m", "playwright", "install", "chromium"]
    if subprocess.call(download, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0:
        return OWN_BROWSER
    return system_browser() or debian_browser()


def system_browser() -> str | None:
    """The path of a Chromium on the PATH, or ``None``."""
    return next(filter(None, map(shutil.which, SYSTEM_BROWSERS)), None)


def debian_browser() -> str:
    """Install Debian's Chromium and return its path."""
    if shutil.which("apt-get"):
        sudo = ["sudo", "-n"] if hasattr(os, "geteuid") and os.geteuid() else []
        subprocess.call([*sudo, "apt-get", "update", "-qq"])
        subprocess.call([*sudo, "apt-get", "install", "-y", "-qq", "chromium"])
    found = system_browser()
    if found is None:
        sys.exit(
            "No Chromium: Playwright could not download its own and the system has none. "
            "Install chromium or google-chrome and run python -m tests again."
        )
    return found


if __name__ == "__main__":
    sys.exit(main())
