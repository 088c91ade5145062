"""The command against the page: the same survey, square by square."""

import json

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
