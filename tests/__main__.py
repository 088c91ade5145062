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
OTHERS = {"firefox-esr": "firefox-esr", "WebKitWebDriver": "webkit2gtk-driver", "Xvfb": "xvfb"}
OTHERS_NOTE = VENV / "lookdown-others.txt"


def main() -> int:
    """Set up, run pytest, and return its exit code."""
    prepare()
    environment = os.environ | {"LOOKDOWN_CHROMIUM": BROWSER_NOTE.read_text()}
    # What is told on the command line is a part, which one process runs; the whole takes two.
    arguments = sys.argv[1:] or ["-n", "2", "--dist", "loadgroup"]
    command = [str(PYTHON), "-m", "pytest", *arguments]
    return subprocess.call(command, cwd=ROOT, env=environment)


def prepare() -> None:
    """Make the virtual environment and find a browser, unless that is done already."""
    wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    if not (STAMP.exists() and STAMP.read_text() == wanted):
        install_packages()
        STAMP.write_text(wanted)
    install_others()
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


def install_others() -> None:
    """Debian's Firefox and WebKit, where they can be had; their tests are skipped elsewhere."""
    missing = [package for program, package in OTHERS.items() if not shutil.which(program)]
    if missing and not OTHERS_NOTE.exists():
        print(f"Installing {', '.join(missing)}.", flush=True)
        debian_install(*missing)
    OTHERS_NOTE.touch()


def debian_install(*packages: str) -> None:
    """Install Debian packages, each where that can be done."""
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
