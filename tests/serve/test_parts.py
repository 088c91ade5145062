"""The bill of materials, the licences, and what is known against the parts."""

import hashlib
import json
import subprocess
import sys

import pytest

from tests.serve.conftest import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@pytest.fixture(scope="module")
def made():
    from assembly import parts

    return parts.files(ROOT / "models")


def test_every_part_has_a_version_a_hash_and_a_licence(made):
    sbom = json.loads(made["sbom.cdx.json"])
    assert (sbom["bomFormat"], sbom["specVersion"]) == ("CycloneDX", "1.6")
    names = {each["name"] for each in sbom["components"]}
    assert {"pyodide", "@pyscript/core", "leaflet", "onnxruntime-web", "numpy", "pillow",
            "ucmerced", "built-in imagery"} <= names  # fmt: skip
    for each in sbom["components"]:
        assert each["version"], each["name"]
        assert each["hashes"][0]["content"], each["name"]
        assert each["licenses"], each["name"]
    references = [each["bom-ref"] for each in sbom["components"]]
    assert len(references) == len(set(references))
    assert sbom["dependencies"][0]["dependsOn"] == references


def test_the_hash_of_the_model_is_that_of_its_file(made):
    components = json.loads(made["sbom.cdx.json"])["components"]
    (model,) = (each for each in components if each["name"] == "ucmerced")
    contents = (ROOT / "models/ucmerced/model.onnx").read_bytes()
    assert model["hashes"][0]["content"] == hashlib.sha256(contents).hexdigest()


def test_the_licences_hold_the_texts_of_the_parts(made):
    text = made["licences.txt"].decode()
    assert "Volodymyr Agafonkin" in text
    assert "NumPy Developers" in text
    assert "The Python Imaging Library" in text
    assert "CC-BY-4.0" in text
    assert "MPL-2.0" in text
    assert "PSF-2.0" in text


def test_every_dependency_of_ours_is_pinned():
    """npm by its lock file with integrity, wheels by sha256, packages for Python by version."""
    for folder in ("site", "tests/bench/npm"):
        locked = json.loads((ROOT / folder / "package-lock.json").read_text())["packages"]
        assert all(facts.get("integrity") for path, facts in locked.items() if path)
    runtime = json.loads((ROOT / "site/runtime.json").read_text())
    assert all(len(facts["sha256"]) == 64 for facts in runtime["wheels"].values())
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    named = [each for group in groups.values() for each in group if isinstance(each, str)]
    assert named
    assert [each for each in named if "==" not in each] == []


def audit(*command: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        command, cwd=ROOT / "site", capture_output=True, text=True, check=False, timeout=120
    )


def test_nothing_is_known_against_the_npm_packages():
    from assembly import fetch

    try:
        npm = fetch.node_tools().npm
    except fetch.SetupError as error:
        pytest.skip(str(error))
    done = audit(*npm, "audit", "--json", "--audit-level=high")
    found = json.loads(done.stdout or "{}")
    if "metadata" not in found:
        pytest.skip("npm cannot reach its list of vulnerabilities")
    serious = found["metadata"]["vulnerabilities"]
    assert serious["high"] + serious["critical"] == 0, done.stdout


def test_nothing_is_known_against_numpy_and_pillow(tmp_path):
    """The two Python packages that the page runs."""
    listed = json.loads((ROOT / "site/runtime.json").read_text())["wheels"]
    lines = ["{}=={}".format(*facts["file"].split("-")[:2]) for facts in listed.values()]
    wanted = tmp_path / "page.txt"
    wanted.write_text("\n".join(lines))
    flags = ["--no-deps", "--disable-pip", "--format=json", "--progress-spinner=off"]
    done = audit(sys.executable, "-m", "pip_audit", *flags, "-r", str(wanted))
    if not done.stdout.strip():
        pytest.skip("pip-audit cannot reach its list of vulnerabilities")
    found = json.loads(done.stdout)["dependencies"]
    if any("skip_reason" in each for each in found):
        pytest.skip("pip-audit cannot reach its list of vulnerabilities")
    assert {each["name"]: each["vulns"] for each in found} == {"numpy": [], "pillow": []}
