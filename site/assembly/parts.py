"""Lists the parts of the site: a bill of materials (CycloneDX 1.6) and the licences."""

import base64
import email.parser
import hashlib
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from assembly import fetch

Component = dict[str, Any]
SBOM, LICENCES = "sbom.cdx.json", "licences.txt"
LICENCE_FILE = re.compile(r"^(LICEN[CS]E|COPYING|NOTICE)", re.IGNORECASE)
HASHES = {"sha512": "SHA-512", "sha256": "SHA-256"}
# Python is inside Pyodide, whose npm package names only its own licence.
PYTHON = ("Python", "PSF-2.0", "https://docs.python.org/3/license.html")


def files(models: Path) -> dict[str, bytes]:
    """The two files.

    Parameters
    ----------
    models : Path
        The folder of models.

    Returns
    -------
    dict of str to bytes
        Path in the site to contents.
    """
    npm = _npm_components()
    wheels = [_wheel_component(name) for name in fetch.RUNTIME["wheels"]]
    data = [*_model_components(models), _imagery_component()]
    components = sorted(npm + wheels + data, key=lambda each: each["bom-ref"])
    sbom = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "lookdown", "bom-ref": "lookdown",
                                   "licenses": [{"license": {"id": "MIT"}}]}},
        "components": components,
        "dependencies": [{"ref": "lookdown", "dependsOn": [c["bom-ref"] for c in components]}],
    }  # fmt: skip
    return {
        SBOM: (json.dumps(sbom, indent=1, ensure_ascii=False) + "\n").encode(),
        LICENCES: _licences(components).encode(),
    }


def _npm_components() -> list[Component]:
    """One component for each npm package in the lock file, with the registry's hash."""
    locked = json.loads((fetch.SITE / "package-lock.json").read_text())["packages"]
    found: dict[str, Component] = {}
    for path, facts in locked.items():
        name = path.rpartition("node_modules/")[2]
        if name:
            kind, _, digest = facts["integrity"].partition("-")
            url = "pkg:npm/" + name.replace("@", "%40") + "@" + facts["version"]
            # A package that is there twice is one part.
            found[url] = _component(
                "library", name, facts["version"], url, facts.get("license", "")
            ) | {"hashes": [_hash(HASHES[kind], base64.b64decode(digest).hex())]}
    return list(found.values())


def _wheel_component(name: str) -> Component:
    facts = fetch.RUNTIME["wheels"][name]
    with zipfile.ZipFile(fetch.pyodide_wheel(name)) as wheel:
        place = next(each for each in wheel.namelist() if each.endswith(".dist-info/METADATA"))
        metadata = email.parser.HeaderParser().parsestr(wheel.read(place).decode())
    version, licence = metadata["Version"], metadata["License-Expression"]
    return _component("library", name, version, f"pkg:pypi/{name}@{version}", licence) | {
        "hashes": [_hash("SHA-256", facts["sha256"])]
    }


def _model_components(models: Path) -> list[Component]:
    found = []
    for card in sorted(models.glob("*/card.json")):
        facts = json.loads(card.read_text())
        named = _component("machine-learning-model", facts["name"], facts["date"], "", "")
        found.append(named | {"hashes": [_hash("SHA-256", facts["sha256"])],
                              "licenses": [{"license": {"name": facts["licence"]}}]})  # fmt: skip
    return found


def _imagery_component() -> Component:
    sample = json.loads((fetch.SITE / "imagery.json").read_text())["sample"]
    source = fetch.RUNTIME["packages"][sample["package"]]
    return _component("data", "built-in imagery", source["version"], "", "CC-BY-4.0") | {
        "copyright": sample["attribution_text"],
        "hashes": [_hash("SHA-256", source["sha256"])],
    }


def _component(kind: str, name: str, version: str, url: str, licence: str) -> Component:
    facts: Component = {
        "type": kind,
        "bom-ref": url or f"{kind}/{name}",
        "name": name,
        "version": version,
    }
    if url:
        facts["purl"] = url
    if licence:
        facts["licenses"] = [{"expression": licence}]
    return facts


def _hash(kind: str, digest: str) -> dict[str, str]:
    return {"alg": kind, "content": digest}


def _licences(components: list[Component]) -> str:
    """The licence of every part, then the texts of the licences, each once."""
    rows = [f"{each['name']} {each['version']}: {_licence(each)}" for each in components]
    rows.append(": ".join((PYTHON[0] + " (within Pyodide)", f"{PYTHON[1]}, {PYTHON[2]}")))
    texts: dict[str, tuple[str, list[str]]] = {}
    for name, text in _texts():
        key = hashlib.sha256(text.encode()).hexdigest()
        texts.setdefault(key, (text, []))[1].append(name)
    blocks = [f"{', '.join(names)}\n\n{text.strip()}" for text, names in texts.values()]
    own = "Lookdown\n\n" + (fetch.SITE.parent / "LICENSE").read_text(encoding="utf-8").strip()
    line = "\n\n" + "=" * 80 + "\n\n"
    head = "Parts of this page and their licences\n\n" + "\n".join(rows)
    return line.join([head, own, *blocks]) + "\n"


def _licence(component: Component) -> str:
    named = component.get("licenses", [{"expression": "not stated"}])[0]
    return str(named.get("expression") or named["license"]["name"])


def _texts() -> Iterator[tuple[str, str]]:
    """Every licence text in the npm packages and the wheels: name of the part, and text."""
    npm = fetch.npm_packages()
    for file in sorted(npm.rglob("*")):
        if LICENCE_FILE.match(file.name) and file.is_file() and file.suffix in ("", ".txt", ".md"):
            folder = file.relative_to(npm).parent.as_posix()
            yield folder.rpartition("node_modules/")[2], file.read_text("utf-8", errors="replace")
    for name in fetch.RUNTIME["wheels"]:
        with zipfile.ZipFile(fetch.pyodide_wheel(name)) as wheel:
            for path in sorted(wheel.namelist()):
                if ".dist-info/licenses/" in path:
                    yield name, wheel.read(path).decode("utf-8", errors="replace")
