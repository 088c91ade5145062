"""Lays out the static site; the same sources always give the same bytes."""

import contextlib
import hashlib
import io
import json
import re
import shutil
import tempfile
import zipfile
from pathlib import Path

from assembly import cache, fetch, imagery, parts, runtime
from assembly.errors import SetupError

ROOT = fetch.SITE.parent
# Files in site/ that the build reads but does not publish as they are.
TOOLS = {"package.json", "package-lock.json", "runtime.json", "imagery.json", "sw.js", "index.html"}
PAGE, WORKER = "index.html", "sw.js"
VERSION_PLACE = b"{version}"
VERSION = re.compile(r'^version = "([^"]+)"$', re.MULTILINE)
PLACING_TRIES = 10
PICTURES = (".jpg", ".png", ".webp")
FIXED_TIME = (1980, 1, 1, 0, 0, 0)
# When the page needs a file: the first part whose pattern matches, else "rest". Python takes half a
# second to start, enough for the packages to arrive; the first answer also needs "answer"; an
# "extra" is fetched when it is used.
PARTS = (
    ("extra", re.compile(r"runtime/ort/.*(webgpu|asyncify)|runtime/(geotiff|hyparquet)/"
                         r"|^screenshots/|^models/[^/]+/(?!card\.json|golden\.json)")),
    ("packages", re.compile(r"\.whl$|^app\.zip$")),
    ("python", re.compile(r"runtime/(pyodide/|leaflet/[^/]*$|pyscript/core)"
                          r"|^(main\.py|style\.css|pyscript\.toml)$")),
    ("answer", re.compile(r"runtime/ort/")),
)  # fmt: skip

# Our own Python that few visits need: the page fetches it when it is first used (`bridge.later`),
# and it is kept with the rest of a release. No other module may import it at its beginning.
LATER = re.compile(
    r"pyapp/(bridge/(slices|given_file|pane|parquet|pyramid|swipe)"
    r"|work/(archive|change|check|kept|keeper|packs|pyramid|report)|work/teach/judged"
    r"|ui/ground/archives|ui/survey/(change\w*|check\w*|judging|large\w*|report)"
    r"|ui/packs/\w+|core/(accuracy|change|pack|pyramid|report)/\w+"
    r"|core/imagery/(pmtiles\w*|mbtiles|sqlite\w*|archive_\w+))\.py$"
)
# Python that PyScript runs by itself, and that of the command, which is not the page's.
ELSEWHERE = re.compile(r"pyapp/(main|__main__|native/\w+|core/pyramid/tiles)\.py$")


def build(out: Path) -> None:
    """Write the site to a folder, in place of an earlier build.

    If the same site is there already, it is left alone: another process may be serving it.

    Parameters
    ----------
    out : Path

    Raises
    ------
    SetupError
        If something can't be fetched or written, or ``out`` holds other files.
    """
    made, copied = _texts(), _files()
    listing = _listing(made, copied)
    made |= {"files.json": listing, WORKER: _worker(listing)}
    if out.exists() and any(out.iterdir()) and not (out / "files.json").exists():
        raise SetupError(
            f"{out} holds files that are not from an earlier build. Choose an empty folder."
        )
    wanted = {path: facts["sha256"] for path, facts in json.loads(listing).items()}
    wanted |= {path: hashlib.sha256(made[path]).hexdigest() for path in ("files.json", WORKER)}
    if _is_built(out, wanted):
        return
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    except OSError as error:
        raise SetupError(f"{out} cannot be written: {error}. Choose another folder.") from error
    try:
        for path, data in sorted(made.items()):
            _place(part / path).write_bytes(data)
        for path, file in sorted(copied.items()):
            shutil.copyfile(file, _place(part / path))
        part.chmod(0o755)
        _put(part, out)
    except OSError as error:
        raise SetupError(f"{out} cannot be written: {error}. Check the free space.") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _put(part: Path, out: Path) -> None:
    """Rename a folder, replacing what has its name; several processes may do so at once."""
    for number in range(PLACING_TRIES):
        aside = part.with_name(f"{part.name}-{number}")
        with contextlib.suppress(FileNotFoundError):
            out.rename(aside)
        try:
            part.rename(out)
            return
        except OSError:
            # Another process was faster, unless this was the last try.
            if number == PLACING_TRIES - 1:
                raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)


def _is_built(out: Path, wanted: dict[str, str]) -> bool:
    """Whether a folder holds exactly these files, path to sha256."""
    try:
        there = {
            file.relative_to(out).as_posix(): file for file in out.rglob("*") if file.is_file()
        }
        return there.keys() == wanted.keys() and all(
            cache.digest(file) == wanted[path] for path, file in there.items()
        )
    except OSError:
        return False


def _place(file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


def _texts() -> dict[str, bytes]:
    """What the build itself writes: path in the site to contents."""
    made = {
        PAGE: with_version((fetch.SITE / PAGE).read_bytes()),
        "imagery/sources.json": imagery.sources().encode(),
        "imagery/catalogue.json": imagery.catalogue().encode(),
    }
    return made | runtime.compiled_app(app_archives(ROOT)) | parts.files(ROOT / "models")


def with_version(page: bytes) -> bytes:
    """The page with the version in place of ``{version}``."""
    if VERSION_PLACE not in page:
        raise SetupError(f"site/{PAGE} has no place for the version: {VERSION_PLACE.decode()}.")
    return page.replace(VERSION_PLACE, version().encode())


def version() -> str:
    """The version of the project, as pyproject.toml has it.

    Raises
    ------
    SetupError
        If it has none.
    """
    found = VERSION.search((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    if found is None:
        raise SetupError("pyproject.toml has no line with the version. Add one and start again.")
    return found[1]


def _worker(listing: bytes) -> bytes:
    """The service worker, with the name of its release."""
    release = hashlib.sha256(listing).hexdigest()
    return (fetch.SITE / WORKER).read_bytes().replace(b"{release}", release.encode())


def _files() -> dict[str, Path]:
    """What is copied unchanged: path in the site to file."""
    plain = [file for file in fetch.SITE.iterdir() if file.is_file() and file.name not in TOOLS]
    found = {file.name: file for file in plain if not file.name.startswith(".")}
    found["main.py"] = ROOT / "pyapp" / "main.py"
    for folder in (fetch.SITE / "icons", fetch.SITE / "screenshots", ROOT / "models"):
        for file in folder.rglob("*"):
            if file.is_file() and not file.name.startswith("."):
                found[file.relative_to(folder.parent).as_posix()] = file
    return found | runtime.files() | imagery.files()


def app_archives(root: Path) -> dict[str, bytes]:
    """The page's own Python, not yet compiled: what PyScript unpacks, and what is used `LATER`."""
    found = {each.relative_to(root).as_posix(): each for each in (root / "pyapp").rglob("*.py")}
    files = {path: file for path, file in found.items() if not ELSEWHERE.match(path)}
    later = set(filter(LATER.match, files))
    parted = {"app.zip": files.keys() - later, "later.zip": later}
    return {
        name: _archive({path: files[path].read_bytes() for path in sorted(paths)})
        for name, paths in parted.items()
    }


def _archive(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, data in files.items():
            entry = zipfile.ZipInfo(path, FIXED_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data, compresslevel=9)
    return out.getvalue()


def _listing(made: dict[str, bytes], copied: dict[str, Path]) -> bytes:
    """``files.json``: size, sha256 and part of every file."""
    facts = {path: (len(data), hashlib.sha256(data).hexdigest()) for path, data in made.items()}
    facts |= {path: (file.stat().st_size, cache.digest(file)) for path, file in copied.items()}
    default = json.loads((ROOT / "models/index.json").read_text())["default"]
    listed = {
        path: {"size": size, "sha256": sha256, "part": _part(path, default)}
        for path, (size, sha256) in sorted(facts.items())
    }
    return json.dumps(listed, indent=0).encode()


def _part(path: str, default_model: str) -> str:
    """When the page needs a file; the first answer comes from the default model."""
    if path.startswith("models/") and path.endswith(".onnx"):
        return "answer" if path.split("/")[1] == default_model else "extra"
    return next((name for name, pattern in PARTS if pattern.search(path)), "rest")


def compressed(out: Path, quality: int = 11) -> dict[str, dict[str, Path]]:
    """Compressed variants of a built site's files, made once and kept by content.

    Parameters
    ----------
    out : Path
        The built site.
    quality : int
        Of brotli, at most 11, which takes two minutes for the site; 4 takes seconds.

    Returns
    -------
    dict of str to dict of str to Path
        Path in the site to ``{"br": file, "gzip": file}``, without variants that save no bytes.

    Raises
    ------
    SetupError
        If Node.js is missing or fails.
    """
    listing = json.loads((out / "files.json").read_text())
    for file in (out / "files.json", out / WORKER):
        # What the page is compared with has no service worker.
        if file.exists():
            listing[file.name] = {"size": file.stat().st_size, "sha256": cache.digest(file)}
    folder = cache.folder() / f"compressed-{quality}"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {path: facts for path, facts in listing.items() if not path.endswith(PICTURES)}
    missing = {
        facts["sha256"]: out / path
        for path, facts in wanted.items()
        if not (folder / f"{facts['sha256']}.gz").exists()
    }
    if missing:
        _compress(missing, folder, quality)
    found = {}
    for path, facts in wanted.items():
        variants = {
            "br": folder / f"{facts['sha256']}.br",
            "gzip": folder / f"{facts['sha256']}.gz",
        }
        smaller = {
            coding: file for coding, file in variants.items() if file.stat().st_size < facts["size"]
        }
        if smaller:
            found[path] = smaller
    return found


def _compress(files: dict[str, Path], folder: Path, quality: int) -> None:
    node = fetch.node_tools()
    script = Path(__file__).with_name("compress.mjs")
    with tempfile.TemporaryDirectory(dir=folder) as work:
        for name, file in files.items():
            shutil.copyfile(file, Path(work) / name)
        names = [str(Path(work) / name) for name in files]
        command = [*node.node, str(script), str(quality), *names]
        fetch.run(command, "the files could not be compressed", environment=node.environment())
        for name in files:
            # The .gz comes last: where it is, both are.
            for ending in (".br", ".gz"):
                Path(work, name + ending).replace(folder / (name + ending))
