"""Surveys on the page: from an area to a map of classes, and back from what is kept."""

import hashlib
import io
import json

import numpy as np
import onnxruntime
import pytest

from pyapp.core.ground.geo import Footprint, LngLat
from pyapp.core.model.card import Card
from tests.browser.native import DEFAULT, Zooms, class_of, native_answer, native_chip

# Inside the built-in imagery, with no gap in sight.
HERE = "#map=18/27.629500/85.520000"
NEAR = "#map=19/27.629500/85.520000"


def alone(_context) -> None:
    """For pages that shall have a browser's memory of their own."""


@pytest.fixture
def surveyed(open_page):
    """The page after a survey of what it shows."""
    page = open_page(HERE)
    page.survey_view()
    return page


def test_every_square_is_named_as_natively(surveyed, dist):
    folder = dist / "models" / DEFAULT
    card = Card.from_json(DEFAULT, (folder / "card.json").read_text())
    session = onnxruntime.InferenceSession(folder / "model.onnx")
    features = surveyed.features()
    named = [each["properties"] for each in features if each["properties"]["state"] == "classified"]
    assert len(features) == len({each["id"] for each in features}) >= 30
    assert len(named) >= 25

    for facts in named[::3]:
        footprint = Footprint(LngLat(*facts["footprint"]["centre"]), facts["footprint"]["side_m"])
        chip = native_chip(dist / "imagery/sample", footprint, card, Zooms(18, 18))
        answer = native_answer(card, session, chip)
        assert facts["class"] == class_of(card, answer)
        assert facts["best"][0]["score"] == pytest.approx(answer.best.probability, abs=0.002)
        assert hashlib.sha256(chip.tobytes()).hexdigest() == facts["chip_sha256"]
    cells, hectares = surveyed.legend_total()
    assert cells == len(named)
    assert hectares == pytest.approx(len(named) * card.footprint_m**2 / 10_000, rel=0.02)


def test_the_plan_says_what_it_takes_and_tiles_are_read_once(open_page, tile_server):
    page = open_page(f"?imagery={tile_server.template}&maxzoom=18{HERE}")
    page.tab.click("#agree button[value=yes]")
    page.wait_tiles(tile_server.origin)
    page.survey_view(start=False)
    page.tab.wait_for_function("document.getElementById('plan').textContent.includes('about')")
    said = page.tab.inner_text("#plan")
    squares, tiles = int(said.split()[0]), int(said.split(", ")[-1].split()[0])
    tile_server.asked.clear()
    page.start_survey()
    page.wait_survey()
    read = [path for path in tile_server.asked if path.startswith("/18/")]
    assert len(read) == len(set(read)) == tiles
    assert f"{squares} squares, done" in page.survey_said()


# Rows of the legend that hold no group: the last of each branch.
CLASSES = "tr.class"


def test_colours_follow_threshold_and_switches(surveyed):
    tab = surveyed.tab
    fine = sum(cells for cells, _ in surveyed.legend(CLASSES).values())
    tab.fill("#sure-from", "0")
    assert sum(cells for cells, _ in surveyed.legend(CLASSES).values()) > fine
    assert "not sure" not in {name for name, (cells, _) in surveyed.legend().items() if cells}
    before = opaque(tab)
    legend = surveyed.legend(CLASSES)
    name, cells = max(((name, cells) for name, (cells, _) in legend.items()),
                      key=lambda each: each[1])  # fmt: skip
    tab.locator("#legend").get_by_label(name, exact=True).uncheck()
    assert opaque(tab) == before - cells
    tab.keyboard.press("z")
    assert opaque(tab) == before
    tab.check("#smooth")
    assert surveyed.legend() != {}
    tab.fill("#opacity", "0.3")
    assert tab.evaluate("document.querySelector('.survey-picture').style.opacity") == "0.3"


def opaque(tab) -> int:
    """Cells that are painted in a class's colour."""
    return tab.evaluate(
        """() => {
          const {width, height} = document.querySelector(".survey-picture");
          const context = document.querySelector(".survey-picture").getContext("2d");
          const {data} = context.getImageData(0, 0, width, height);
          return data.filter((each, place) => place % 4 === 3 && each === 255).length;
        }"""
    )


def test_a_cell_opens_is_explained_and_found_again(open_page):
    surveyed = open_page(HERE, before=alone)
    surveyed.survey_view()
    tab = surveyed.tab
    surveyed.click_on_survey(0.42, 0.42)
    surveyed.wait_answer()
    shown = surveyed.shown()
    facts = {tuple(each["properties"]["footprint"]["centre"]): each["properties"]
             for each in surveyed.features()}  # fmt: skip
    centre = tuple(shown.footprint.centre)
    assert shown.best[0][0] in [each["class"] for each in facts[centre]["best"]]
    assert shown.best[0][1] == pytest.approx(facts[centre]["best"][0]["score"], abs=0.002)
    # Why
    tab.click("#why")
    first = heat(tab)
    assert first["box"]["width"] == pytest.approx(surveyed.square_box()["width"], abs=3)
    tab.locator("#best li").nth(1).click()
    assert heat(tab)["sum"] != first["sum"]
    tab.keyboard.press("w")
    assert tab.locator("canvas.heat").count() == 0
    # Steady or not
    tab.click("#steady")
    tab.wait_for_selector("#steady-said:not([hidden])")
    assert tab.inner_text("#steady-said").startswith(("Steady: ", "Unsteady: "))
    # More like this
    tab.keyboard.press("m")
    tab.wait_for_selector("#strip:not([hidden])")
    strip = tab.locator("#strip button")
    assert strip.count() == 12
    assert marks(tab) == 12
    likeness = [text.split()[-3] for text in strip.all_inner_texts()]
    assert likeness == sorted(likeness, reverse=True)
    spans = len(tab.evaluate("performance.getEntriesByName('lookdown:show')"))
    strip.nth(1).click()
    surveyed.wait_answer(spans)
    assert surveyed.shown().footprint.centre != shown.footprint.centre
    assert strip.count() == 12


def marks(tab) -> int:
    """How many pieces of ground are pointed out, each by two outlines."""
    return tab.locator(".leaflet-overlay-pane path").count() // 2


def test_more_like_this_is_found_in_kept_surveys_and_no_ground_twice(open_page):
    page = open_page(HERE, before=alone)
    page.survey_view()
    tab = page.tab
    tab.locator(".leaflet-control-zoom-in").click()
    tab.wait_for_function("location.hash.startsWith('#map=19/')")
    page.survey_view()
    tab.wait_for_function("document.querySelectorAll('#survey-list li').length === 2")
    near = page.survey_said()
    page.click_on_survey(0.42, 0.85)
    page.wait_answer()
    tab.keyboard.press("m")
    tab.wait_for_selector("#strip:not([hidden])")
    titles = [each.get_attribute("title") for each in tab.locator("#strip button").all()]
    elsewhere = [", in " in title for title in titles]
    assert len(titles) == 12
    assert 0 < sum(elsewhere) < 12
    # What both surveys show is found in the one on the map, which can point to it.
    assert marks(tab) == 12 - sum(elsewhere)
    spans = len(tab.evaluate("performance.getEntriesByName('lookdown:show')"))
    tab.locator("#strip button").nth(elsewhere.index(True)).click()
    page.wait_answer(spans)
    assert page.survey_said() != near


def heat(tab) -> dict:
    """Where the heat map lies on the screen, and the sum of its opacities."""
    return tab.evaluate(
        """() => {
          const canvas = document.querySelector("canvas.heat");
          const {x, y, width, height} = canvas.getBoundingClientRect();
          const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          return {box: {x, y, width, height},
                  sum: data.reduce((sum, each, place) => sum + (place % 4 == 3 ? each : 0), 0)};
        }"""
    )


def test_one_is_corrected_all_are_recoloured_and_that_is_undone(open_page):
    surveyed = open_page(NEAR)
    surveyed.survey_view()
    tab = surveyed.tab
    before = surveyed.features()
    surveyed.click_on_survey(0.42, 0.85)
    surveyed.wait_answer()
    tab.select_option("#correct-class", label="harbour")
    after = surveyed.features()
    corrected = [each for each in after if each["properties"]["corrected"]]
    assert len(corrected) == 1
    assert corrected[0]["properties"]["class"] == "harbour"
    assert corrected[0]["properties"]["score"] == 1.0
    turned = [old["id"] for old, new in zip(before, after, strict=True)
              if old["properties"]["score"] != new["properties"]["score"]]  # fmt: skip
    assert len(turned) > 1
    assert tab.evaluate("performance.getEntriesByName('lookdown:refit').length") == 1
    tab.keyboard.press("z")
    assert [each["properties"] for each in surveyed.features()] == [
        each["properties"] for each in before
    ]


def test_a_survey_goes_on_after_a_reload_with_what_was_named(open_page):
    page = open_page(HERE, before=alone)
    page.survey_view("0.5", start=False)
    page.start_survey()
    page.tab.wait_for_function(
        "+document.getElementById('survey-said').textContent.split(' ')[0] >= 40"
    )
    page.tab.wait_for_timeout(1500)
    page.tab.reload()
    page.wait_ready()
    page.tab.wait_for_selector("#unfinished:not([hidden])")
    said = page.tab.inner_text("#unfinished p")
    done, count = (int(part.replace(",", "")) for part in said.split(": ")[-1].split()[:3:2])
    assert 40 <= done < count
    page.tab.click("#unfinished .primary")
    page.tab.wait_for_selector("#survey-work:not([hidden])", state="attached")
    page.open_survey_panel()
    page.wait_survey()
    features = page.features()
    assert len(features) == count
    named = [each for each in features if each["properties"]["state"] == "classified"]
    assert len({each["properties"]["chip_sha256"] for each in named}) == len(named)


def test_pause_go_on_and_cancel(open_page):
    page = open_page(HERE, before=alone)
    page.survey_view("0.5", start=False)
    page.start_survey()
    page.tab.wait_for_function(
        "document.getElementById('survey-said').textContent.includes('left')"
    )
    page.tab.click("#survey-pause")
    page.tab.wait_for_function(
        "document.getElementById('survey-said').textContent.includes('paused')"
    )
    said = page.survey_said()
    page.tab.wait_for_timeout(700)
    assert page.survey_said() == said
    page.tab.keyboard.press("g")
    page.tab.wait_for_function(
        "before => document.getElementById('survey-said').textContent.split(' ')[0] !== before",
        arg=said.split()[0],
    )
    page.tab.click("#survey-cancel")
    page.wait_survey()
    assert "left out" in page.survey_said()
    named, _ = page.legend_total()
    assert named >= int(said.split()[0])
    page.tab.click("#survey-retry")
    page.tab.wait_for_function("document.getElementById('survey-bar').hidden === false")
    page.wait_survey()
    assert "left out" not in page.survey_said()


def test_surveys_are_renamed_compared_deleted_and_brought_back(open_page):
    surveyed = open_page(NEAR, before=alone)
    surveyed.survey_view()
    tab = surveyed.tab
    tab.fill("#survey-name", "Valley in spring")
    tab.press("#survey-name", "Enter")
    tab.wait_for_selector("#survey-list span:has-text('Valley in spring')")
    surveyed.start_survey()
    tab.wait_for_function("document.querySelectorAll('#survey-list li').length === 2")
    surveyed.wait_survey()
    surveyed.click_on_survey(0.42, 0.85)
    surveyed.wait_answer()
    tab.select_option("#correct-class", label="harbour")
    tab.wait_for_selector("#compare option:has-text('Valley in spring')", state="attached")
    tab.select_option("#compare", label="Valley in spring")
    tab.wait_for_function(
        "document.getElementById('compare-said').textContent.includes('have another answer')"
    )
    assert not tab.text_content("#compare-said").startswith("0 of")
    whole = tab.evaluate(VISIBLE)
    tab.check("#differing")
    assert 0 < tab.evaluate(VISIBLE) < whole
    tab.locator("#survey-list li", has_text="Valley in spring").get_by_text("Delete").click()
    tab.wait_for_function("document.querySelectorAll('#survey-list li').length === 1")
    tab.click("#undo")
    tab.wait_for_function("document.querySelectorAll('#survey-list li').length === 2")
    tab.locator("#survey-list li", has_text="Valley in spring").get_by_text("Open").click()
    tab.wait_for_function("document.getElementById('survey-name').value === 'Valley in spring'")
    tab.locator("#survey-list li", has_text="Valley in spring").get_by_text("Delete").click()
    tab.wait_for_selector("canvas.survey-picture", state="detached")
    tab.wait_for_function("document.querySelectorAll('#survey-list li').length === 1")
    tab.reload()
    surveyed.wait_ready()
    surveyed.open_survey_panel()
    tab.wait_for_selector("#survey-list li")
    assert tab.locator("#survey-list li").count() == 1


RENAME_OFTEN = """async (count) => {
  const name = document.getElementById("survey-name");
  const list = document.getElementById("survey-list");
  for (let number = 0; number < count; number++) {
    name.value = `Valley ${number}`;
    name.dispatchEvent(new Event("change"));
    while (!list.textContent.includes(`Valley ${number}`)) {
      await new Promise((next) => setTimeout(next));
    }
  }
}"""


def test_memory_stays_flat_over_a_thousand_refreshes_of_the_list(open_page):
    """Handlers were once bound again for each row, and never given back."""
    page = open_page(NEAR, before=alone)
    page.survey_view()
    page.tab.wait_for_selector("#survey-list li")
    client = page.tab.context.new_cdp_session(page.tab)
    client.send("Performance.enable")

    def counts():
        client.send("HeapProfiler.collectGarbage")
        metrics = client.send("Performance.getMetrics")["metrics"]
        found = {each["name"]: each["value"] for each in metrics}
        return found["JSEventListeners"], found["Nodes"], found["JSHeapUsedSize"]

    page.tab.evaluate(RENAME_OFTEN, 200)
    listeners, nodes, heap = counts()
    page.tab.evaluate(RENAME_OFTEN, 1000)
    more_listeners, more_nodes, more_heap = counts()
    assert more_listeners <= listeners + 20
    # What awaits the next collection varies; a leak would be several for each refresh.
    assert more_nodes <= nodes + 500
    assert more_heap < heap + 1_000_000


VISIBLE = """() => {
  const canvas = document.querySelector(".survey-picture");
  const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.filter((each, place) => place % 4 === 3 && each > 0).length;
}"""


def test_a_saved_survey_can_be_dropped_back(surveyed, open_page):
    saved = surveyed.save_survey("geojson")
    other = open_page(HERE, before=alone)
    other.open_survey_panel()
    other.drop("valley.geojson", saved)
    other.wait_survey()
    assert other.legend() == surveyed.legend()
    again = json.loads(other.save_survey("geojson"))
    assert [each["properties"]["class"] for each in again["features"]] == [
        each["properties"]["class"] for each in json.loads(saved)["features"]
    ]
    other.drop("other.geojson", b'{"type": "FeatureCollection", "features": []}')
    assert "gives no area to survey: it holds no polygon" in other.wait_notice()
    other.drop("other.json", b'{"lookdown": {"format": "another"}}')
    other.tab.wait_for_function(
        "document.getElementById('notice').innerText.includes('not a survey saved by Lookdown')"
    )
    assert other.legend() == surveyed.legend()


def test_the_outlines_in_a_file_are_the_area_of_a_survey(open_page):
    """Of two polygons, and with a hole in which no square is looked at."""
    page = open_page(HERE)
    page.open_survey_panel()
    page.tab.click("#survey summary")
    ring = [[85.5178, 27.6342], [85.5198, 27.6344], [85.5196, 27.6328], [85.5178, 27.6342]]
    square = [[85.5200, 27.6320], [85.5230, 27.6320], [85.5230, 27.6345], [85.5200, 27.6345]]
    hole = [[85.5205, 27.6325], [85.5225, 27.6325], [85.5225, 27.6340], [85.5205, 27.6340]]
    outline = {"type": "Feature", "properties": {"name": "<img src=x onerror=alert(1)>"},
               "geometry": {"type": "MultiPolygon",
                            "coordinates": [[ring], [square, hole]]}}  # fmt: skip
    page.drop("plot.geojson", json.dumps(outline).encode())
    page.tab.wait_for_selector("#survey-start:enabled")
    page.start_survey()
    page.wait_survey()
    middles = [each["properties"]["footprint"]["centre"] for each in page.features()]
    assert any(lng < 85.52 for lng, _ in middles) and any(lng > 85.52 for lng, _ in middles)
    assert all(85.517 < lng < 85.523 and 27.632 < lat < 27.635 for lng, lat in middles)
    assert not any(85.5205 < lng < 85.5225 and 27.6325 < lat < 27.634 for lng, lat in middles)


def test_files_are_saved(open_page):
    page = open_page(NEAR)
    page.survey_view()
    kinds = {"csv": b"cell,lng", "png": b"PK", "tiff": b"PK", "parquet": b"PAR1", "stac": b"{"}
    files = {kind: page.save_survey(kind) for kind in kinds}
    assert all(files[kind].startswith(begin) for kind, begin in kinds.items())
    assert json.loads(files["stac"])["assets"]["geoparquet"]["href"].endswith(".parquet")
    # With embeddings, which only the page itself has.
    arrow = pytest.importorskip("pyarrow.parquet", reason="needs Python 3.11")
    table = arrow.read_table(io.BytesIO(files["parquet"]))
    assert "embedding" in table.column_names and table.num_rows == len(page.features())


def test_areas_are_drawn(open_page):
    page = open_page(HERE)
    page.open_survey_panel()
    page.tab.keyboard.press("r")
    page.tab.wait_for_selector("#drawing:not([hidden])")
    page.tab.mouse.click(400, 150)
    page.tab.mouse.move(500, 200)
    page.tab.mouse.click(600, 330)
    page.tab.wait_for_selector("#drawing", state="hidden")
    assert "squares" in page.tab.inner_text("#plan")
    page.tab.keyboard.press("p")
    for x, y in ((400, 150), (640, 150), (640, 330), (460, 330)):
        page.tab.mouse.click(x, y)
    page.tab.keyboard.press("Backspace")
    page.tab.keyboard.press("Enter")
    page.tab.wait_for_selector("#drawing", state="hidden")
    assert "squares" in page.tab.inner_text("#plan")
    page.tab.keyboard.press("z")
    page.tab.keyboard.press("z")
    assert page.tab.inner_text("#plan") == "Choose an area to begin."


def test_a_link_shows_another_person_the_same_square(open_page):
    page = open_page(HERE)
    page.drag_square(60, 40)
    page.tab.wait_for_function("location.hash.includes('&square=')")
    shown = page.classify()
    other = open_page(page.tab.evaluate("location.search + location.hash"))
    again = other.classify()
    assert again.footprint.centre == pytest.approx(shown.footprint.centre, abs=1e-6)
    assert again.best[0][0] == shown.best[0][0]
    assert np.abs(again.chip.astype(int) - shown.chip).mean() < 3


def test_the_keys_are_listed(ready):
    ready.open_survey_panel()
    ready.tab.keyboard.press("?")
    listed = ready.tab.inner_text("#key-list")
    for what in ("Undo", "Mark a polygon", "Why", "More like this", "Classify", "Save the survey"):
        assert what in listed
    ready.tab.keyboard.press("Escape")
    assert not ready.tab.is_visible("#keys")
