"""``python -m tests``: set up everything the tests need, then run them all.

Arguments go to pytest: ``python -m tests tests/core -k geo``. The first run creates a virtual
environment in ``.venv`` and finds a browser; later runs use both again. A complete run ends with
the line coverage of ``pyapp.core``, ``pyapp.work`` and ``training``.
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
# The first releases of pip that know dependency groups are newer than what Python brings.
PIP = "pip==26.3"
BROWSER = "LOOKDOWN_CHROMIUM"
SYSTEM_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OWN_BROWSER = "playwright"
OTHERS = {"firefox-esr": "firefox-esr", "WebKitWebDriver": "webkit2gtk-driver", "Xvfb": "xvfb"}
OTHERS_NOTE = VENV / "lookdown-others.txt"
# In a complete run two processes take file after file, in the order of `conftest`;
# parts named on the command line run in one, unmeasured.
ALL = ("-n", "2", "--no-loadscope-reorder", "--cov", "--cov-report=term:skip-covered")


def main() -> int:
    """Set up, run pytest, and return its exit code."""
    prepare()
    name_chromium()
    return subprocess.call([str(PYTHON), "-m", "pytest", *(sys.argv[1:] or ALL)], cwd=ROOT)


def prepare() -> None:
    """Create the virtual environment and install into it, unless that is done already."""
    wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    if not (STAMP.exists() and STAMP.read_text() == wanted):
        install_packages()
        STAMP.write_text(wanted)
    install_others()


def inside() -> bool:
    """Whether this Python is that of the virtual environment."""
    return Path(sys.prefix).resolve() == VENV.resolve()


def name_chromium() -> None:
    """Have tests and measurements use a Chromium: the one that is named already, or one found."""
    if BROWSER not in os.environ:
        found = noted_chromium()
        if found is None:
            found = find_browser()
            BROWSER_NOTE.write_text(found)
        os.environ[BROWSER] = found


def noted_chromium() -> str | None:
    """The Chromium that an earlier set-up found, or ``None`` if it is no longer there."""
    note = BROWSER_NOTE.read_text() if BROWSER_NOTE.exists() else ""
    return note if note == OWN_BROWSER or (note and Path(note).exists()) else None


def install_packages() -> None:
    """Install the group ``test`` of pyproject.toml with pip, in a virtual environment."""
    print("Setting up .venv; torch is large, so the first time takes minutes.", flush=True)
    try:
        venv.create(VENV, with_pip=True)
    except (subprocess.CalledProcessError, ImportError):
        sys.exit(
            "This Python cannot create a virtual environment. Install its venv module (on Debian: "
            "apt-get install python3-venv) and run python -m tests again."
        )
    pip = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
    for wanted in ([PIP], ["--group", "test"]):
        if subprocess.call([*pip, *wanted], cwd=ROOT):
            sys.exit("pip could not install what the tests need: see its message above.")


def find_browser() -> str:
    """A Chromium: Playwright's own if it can be downloaded, else the system's.

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


def install_others() -> None:
    """Install Firefox and WebKit on Debian; elsewhere, tests that need them are skipped."""
    missing = [package for program, package in OTHERS.items() if not shutil.which(program)]
    if missing and not OTHERS_NOTE.exists():
        print(f"Installing {', '.join(missing)}.", flush=True)
        debian_install(*missing)
    OTHERS_NOTE.touch()


def debian_install(*packages: str) -> None:
    """Install Debian packages, each if possible."""
    if shutil.which("apt-get"):
        sudo = ["sudo", "-n"] if hasattr(os, "geteuid") and os.geteuid() else []
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.call([*sudo, "apt-get", "update", "-qq"], **quiet)
        command = [*sudo, "apt-get", "install", "-y", "-qq", "--no-install-recommends"]
        for package in packages:
            subprocess.call([*command, package], **quiet)


def debian_browser() -> str:
    """Install Debian's Chromium and return its path."""
    debian_install("chromium")
    found = system_browser()
    if found is None:
        sys.exit(
            "No Chromium: Playwright could not download its own and the system has none. "
            "Install chromium or google-chrome and run python -m tests again."
        )
    return found


if __name__ == "__main__":
    sys.exit(main())
