"""Lays out the static site, the same bytes every time."""

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
# Files of site/ that make the site but are no part of it.
TOOLS = {"package.json", "package-lock.json", "runtime.json", "imagery.json", "sw.js"}
WORKER = "sw.js"
PLACING_TRIES = 10
FIXED_TIME = (1980, 1, 1, 0, 0, 0)
# When a file is wanted: the first part that fits, else "rest". Python itself takes half a second to
# start, in which the packages arrive; the first answer waits for "answer" besides; an "extra" is
# fetched when it is used.
PARTS = (
    ("extra", re.compile(r"runtime/ort/.*(webgpu|asyncify)|^screenshots/")),
    ("packages", re.compile(r"\.whl$|^app\.zip$")),
    ("python", re.compile(r"runtime/(pyodide/|leaflet/[^/]*$|pyscript/core)"
                          r"|^(main\.py|style\.css|pyscript\.toml)$")),
    ("answer", re.compile(r"runtime/ort/")),
)  # fmt: skip


def build(out: Path) -> None:
    """Write the site to the folder ``out``, in place of what an earlier build left there.

    Where the same site stands there already it is left alone: another process may be serving it.

    Raises
    ------
    SetupError
        Where something can't be fetched or written, or ``out`` holds other files.
    """
    made, copied = _texts(), _files()
    listing = _listing(made, copied)
    made |= {"files.json": listing, WORKER: _worker(listing)}
    if out.exists() and any(out.iterdir()) and not (out / "files.json").exists():
        raise SetupError(f"{out} holds files that are no earlier build. Name an empty folder.")
    wanted = {path: facts["sha256"] for path, facts in json.loads(listing).items()}
    wanted |= {path: hashlib.sha256(made[path]).hexdigest() for path in ("files.json", WORKER)}
    if _stands(out, wanted):
        return
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    except OSError as error:
        raise SetupError(f"{out} cannot be written: {error}. Name another folder.") from error
    try:
        for path, data in sorted(made.items()):
            _place(part / path).write_bytes(data)
        for path, file in sorted(copied.items()):
            shutil.copyfile(file, _place(part / path))
        part.chmod(0o755)
        _put(part, out)
    except OSError as error:
        raise SetupError(f"{out} cannot be written: {error}. Make room there.") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _put(part: Path, out: Path) -> None:
    """Give a folder its name, in place of what has it; several processes may do so at once."""
    for number in range(PLACING_TRIES):
        aside = part.with_name(f"{part.name}-{number}")
        with contextlib.suppress(FileNotFoundError):
            out.rename(aside)
        try:
            part.rename(out)
            return
        except OSError:
            # Another process was quicker, unless this was the last try.
            if number == PLACING_TRIES - 1:
                raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)


def _stands(out: Path, wanted: dict[str, str]) -> bool:
    """Whether a folder holds just these files, path to sha256."""
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
    """What the build itself makes: path in the site to contents."""
    app = runtime.compiled_app(app_archive(ROOT))
    made = {runtime.APP: app, "imagery/sources.json": imagery.sources().encode()}
    return made | parts.files(ROOT / "models")


def _worker(listing: bytes) -> bytes:
    """The service worker, which names the release that it keeps."""
    release = hashlib.sha256(listing).hexdigest()
    return (fetch.SITE / WORKER).read_bytes().replace(b"{release}", release.encode())


def _files() -> dict[str, Path]:
    """What is copied as it is: path in the site to file."""
    plain = [file for file in fetch.SITE.iterdir() if file.is_file() and file.name not in TOOLS]
    found = {file.name: file for file in plain if not file.name.startswith(".")}
    found["main.py"] = ROOT / "pyapp" / "main.py"
    for folder in (fetch.SITE / "icons", fetch.SITE / "screenshots", ROOT / "models"):
        for file in folder.rglob("*"):
            if file.is_file() and not file.name.startswith("."):
                found[file.relative_to(folder.parent).as_posix()] = file
    return found | runtime.files() | imagery.files()


def app_archive(root: Path) -> bytes:
    """The Python of the page as one archive, which PyScript unpacks once it is compiled."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for file in sorted((root / "pyapp").rglob("*.py")):
            if file.name != "main.py":
                entry = zipfile.ZipInfo(file.relative_to(root).as_posix(), FIXED_TIME)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, file.read_bytes(), compresslevel=9)
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
    """When a file is wanted; of the models, the default one is for the first answer."""
    if path.startswith("models/") and path.endswith(".onnx"):
        return "answer" if path.split("/")[1] == default_model else "extra"
    return next((name for name, pattern in PARTS if pattern.search(path)), "rest")


def compressed(out: Path, quality: int = 11) -> dict[str, dict[str, Path]]:
    """Pre-compressed variants of a built site's files, made once for each content.

    Parameters
    ----------
    out : Path
    quality : int
        Of brotli, up to 11: two minutes for the whole site, 4 takes seconds.

    Returns
    -------
    dict
        Path in the site to ``{"br": file, "gzip": file}``, only where that saves bytes.
    """
    listing = json.loads((out / "files.json").read_text())
    folder = cache.folder() / f"compressed-{quality}"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {path: facts for path, facts in listing.items() if not path.endswith((".jpg", ".png"))}
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
            # The last one says that both are there.
            for ending in (".br", ".gz"):
                Path(work, name + ending).replace(folder / (name + ending))
