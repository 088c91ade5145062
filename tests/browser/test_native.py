"""The command against the page: the same survey, square by square."""

import json

import numpy as np
import pytest
import rasterio

from tests.browser.test_orthophoto import TOWN, see, town  # noqa: F401  (a fixture)
from tests.native.conftest import lookdown


def test_the_command_answers_as_the_page_does(open_page, tmp_path):
    page = open_page("#map=18/27.62850/85.52300")
    page.survey_view()
    saved = tmp_path / "page.geojson"
    saved.write_bytes(page.save_survey("geojson"))
    theirs = json.loads(saved.read_text())

    replayed = lookdown("replay", saved)
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
    count = len(theirs["features"])
    assert replayed.stdout.split()[:5] == [f"{count:,}", "squares", "same", "chip,", "same"]

    corners = theirs["lookdown"]["survey"]["area"]
    (tmp_path / "area.geojson").write_text(
        json.dumps({"type": "Polygon", "coordinates": [[*corners, corners[0]]]})
    )
    out = tmp_path / "command.geojson"
    surveyed = lookdown("survey", tmp_path / "area.geojson", "--out", out)
    assert surveyed.returncode == 0, surveyed.stderr
    ours = json.loads(out.read_text())["features"]
    assert len(ours) == count
    answered = 0
    for one, other in zip(ours, theirs["features"], strict=True):
        for name in ("cell", "state", "class", "path", "zoom", "chip_sha256"):
            assert one["properties"][name] == other["properties"][name], name
        scores = [
            {each["class"]: each["score"] for each in side["properties"]["best"]}
            for side in (one, other)
        ]
        for label in scores[0].keys() & scores[1].keys():
            assert abs(scores[0][label] - scores[1][label]) <= 1e-3
        answered += one["properties"]["state"] == "classified"
    assert answered > 20

    # What the command wrote opens on the page.
    again = open_page("#map=18/27.62850/85.52300")
    again.open_survey_panel()
    again.drop("command.geojson", out.read_bytes())
    again.wait_survey()
    assert len(again.features()) == count


@pytest.mark.parametrize("bits", [8, 16])
def test_an_orthophoto_is_the_same_imagery_here_and_there(open_page, town, tmp_path, bits):  # noqa: F811
    """Of 16 bits both must find the same range of values to show."""
    path = town
    if bits == 16:
        path = tmp_path / "deep.tif"
        with rasterio.open(town) as file:
            pixels, profile = file.read(), file.profile
        with rasterio.open(path, "w", **(profile | {"dtype": "uint16"})) as out:
            out.write(pixels.astype(np.uint16) * 30)
            out.build_overviews([2, 4, 8], rasterio.enums.Resampling.average)
    page = open_page(TOWN)
    see(page, path)
    page.tab.evaluate("location.hash = '#map=18/27.6335/85.5190'")
    page.survey_view()
    saved = tmp_path / "page.geojson"
    saved.write_bytes(page.save_survey("geojson"))
    replayed = lookdown("replay", saved, "--imagery", path)
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
    assert "same chip, same answer" in replayed.stdout

    # A survey of the command is of the same source: the page could go on with it.
    facts = json.loads(saved.read_text())["lookdown"]["survey"]
    ring = [*facts["area"], facts["area"][0]]
    area, out = tmp_path / "area.geojson", tmp_path / "command.geojson"
    area.write_text(json.dumps({"type": "Polygon", "coordinates": [ring]}))
    done = lookdown("survey", area, "--imagery", path, "--out", out)
    assert done.returncode == 0, done.stderr
    assert json.loads(out.read_text())["lookdown"]["survey"]["imagery"] == facts["imagery"]


def test_a_pack_of_the_command_is_opened_and_classified_without_a_network(
    open_page, tile_server, chromium, tmp_path
):
    west, south, east, north = 85.517, 27.632, 85.520, 27.6355
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    area, pack = tmp_path / "crossing.geojson", tmp_path / "crossing.pack"
    area.write_text(json.dumps({"type": "Polygon", "coordinates": [ring]}))
    imagery = ("--imagery", tile_server.template, "--finest-zoom", "18")
    made = lookdown("pack", area, "--out", pack, *imagery)
    assert made.returncode == 0, made.stderr

    page = open_page("#map=18/27.63392/85.51832")
    there = page.elsewhere(chromium)
    there.tab.wait_for_selector("#keeping:not([hidden])", state="attached")
    asked = len(tile_server.asked)
    there.tab.set_input_files("#pack-file", str(pack))
    there.tab.wait_for_selector("#pack-said:has-text('Opened: imagery of crossing')")
    assert "the model" in there.tab.inner_text("#pack-said")
    there.tab.fill("#go-to", "27.6338, 85.5185")
    there.tab.press("#go-to", "Enter")
    there.tab.wait_for_timeout(500)
    shown = there.classify()
    lng, lat = shown.footprint.centre
    answer = json.loads(lookdown("classify", "--at", lat, lng, "--imagery", pack, "--json").stdout)
    assert shown.best[0][0] == answer["best"][0]["class"]
    assert abs(shown.best[0][1] - answer["best"][0]["probability"]) <= 0.01
    assert len(tile_server.asked) == asked and there.crashes == []
    there.tab.context.close()
