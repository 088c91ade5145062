"""A report as one HTML file: it is read and printed without a script, a font or a request."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from html import escape

from pyapp.core.accuracy.check import ground_name, name_of
from pyapp.core.accuracy.estimate import Figure
from pyapp.core.imagery.date import in_words
from pyapp.core.model.tree import NOT_SURE
from pyapp.core.report.contents import COUNTED_ONLY, NOT_SURE_SAID, Contents, Square
from pyapp.core.report.picture import Picture, Scale, scale_of
from pyapp.core.state import CellState
from pyapp.core.survey.colours import node_colours
from pyapp.core.survey.facts import made_of
from pyapp.core.survey.paint import UNSURE, UNSURE_RGBA, LegendRow

ESTIMATED, COUNTED, JUDGED = "Areas, estimated", "What the answers count", "Squares judged"
STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.45 system-ui, sans-serif; color: #1a1f24; background: #fff; margin: 0 auto;
  padding: 24px; max-width: 980px; }
h1, dd, figcaption { overflow-wrap: anywhere; }
h1 { font-size: 26px; line-height: 1.2; margin: 0 0 4px; }
h2 { font-size: 18px; margin: 28px 0 8px; border-bottom: 1px solid #c9d0d6; padding-bottom: 4px; }
p { margin: 6px 0; } .quiet, figcaption, th, dt { color: #55606a; }
.lead { font-size: 17px; } .mind { border-left: 4px solid #b3261e; padding: 4px 12px; }
.map { display: grid; grid-template-columns: minmax(0, 1fr) 190px; gap: 16px; margin: 16px 0;
  align-items: start; }
.map > div > svg { width: 100%; height: auto; max-height: 640px; border: 1px solid #c9d0d6; }
.legend { list-style: none; margin: 0; padding: 0; font-size: 13px; }
.legend li { display: flex; gap: 6px; align-items: baseline; padding: 1px 0; }
.swatch { flex: none; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
.scroll { overflow-x: auto; }
th, td { text-align: right; padding: 4px 8px; border-bottom: 1px solid #e3e7ea;
  font-variant-numeric: tabular-nums; vertical-align: top; }
th { font-weight: 600; font-size: 12.5px; } th:first-child, td:first-child { text-align: left; }
td small { display: block; color: #55606a; white-space: nowrap; }
.d1 { padding-left: 22px !important; } .d2 { padding-left: 36px !important; }
.d3 { padding-left: 50px !important; } td.hit { font-weight: 700; }
.squares { display: grid; grid-template-columns: repeat(auto-fill, minmax(128px, 1fr)); gap: 12px; }
.squares figure { margin: 0; break-inside: avoid; } .squares img { width: 128px; height: 128px;
  display: block; } .squares figcaption { font-size: 12.5px; }
.squares b { display: block; color: #1a1f24; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 16px; margin: 8px 0; }
dd { margin: 0; } code { font: 12.5px ui-monospace, monospace; }
@media (max-width: 560px) { body { padding: 16px; } .map, dl { grid-template-columns: 1fr; }
  dd { margin-bottom: 6px; } }
@page { margin: 14mm; }
@media print { body { padding: 0; max-width: none; font-size: 10.5pt; } h2 { break-after: avoid; }
  tr, .map { break-inside: avoid; } .map > div > svg { max-height: 150mm; }
  .squares { grid-template-columns: repeat(5, 1fr); }
  .squares img { width: 100%; height: auto; } .scroll { overflow: visible; } }
""".strip()


def to_html(contents: Contents, picture: Picture, chips: Mapping[int, Picture], mind: str) -> str:
    """Write a report.

    Parameters
    ----------
    contents : Contents
    picture : Picture
        The map.
    chips : mapping of int to Picture
        Pictures of the squares that are shown, by cell; those that may not be kept are missing.
    mind : str
        What is to be said of pictures that are missing; empty if none is.
    """
    style = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'sha256-{style}'"
    name = escape(contents.survey.name)
    parts = [
        "<!doctype html>", '<html lang="en">', "<head>", '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{name}: survey report</title>", f"<style>{STYLE}</style>", "</head>",
        "<body>", "<main>",
        f"<h1>{name}</h1>", _head(contents), _map(contents, picture, mind), _classes(contents),
        _matrix(contents), _squares(contents, chips), _method(contents), _sources(contents),
        _evidence(contents), "</main>", "</body>", "</html>", "",
    ]  # fmt: skip
    return "\n".join(each for each in parts[:-1] if each) + "\n"


def _head(contents: Contents) -> str:
    survey, found = contents.survey, contents.findings
    said = f"{len(survey.grid):,} squares of {survey.grid.side_m:g} m"
    made = escape(survey.made.replace("T", " ")[:16])
    lines = [f'<p class="quiet">Surveyed {made} with Lookdown. Report of '
             f"{escape(contents.made.replace('T', ' ')[:16])}.</p>"]  # fmt: skip
    if found is not None and found.estimate is not None:
        overall = _interval(found.estimate.overall, 100, "%")
        lines.append(
            f'<p class="lead">{said}. The map is right on {overall} of the area, estimated from '
            f"{found.judged:,} squares that a person judged.</p>"
        )
    else:
        lines.append(f'<p class="lead">{said}.</p><p class="mind">{escape(COUNTED_ONLY)}</p>')
    waiting = survey.count(CellState.WAITING)
    if waiting:
        lines.append(f'<p class="mind">The survey is not finished: {waiting:,} squares wait.</p>')
    return "\n".join(lines)


def _map(contents: Contents, picture: Picture, mind: str) -> str:
    scale = scale_of(contents.survey.grid)
    west, south, east, north = contents.survey.grid.bounds
    corners = f"{west:.5f}, {south:.5f} to {east:.5f}, {north:.5f}"
    items = "\n".join(_legend(contents, row) for row in contents.rows)
    note = f" {escape(mind)}" if mind else ""
    return (
        f'<figure class="map"><div>{_svg(picture, scale)}'
        f"<figcaption>{escape(made_of(contents.survey.imagery))}. Longitude and latitude from "
        f"{corners}, north up. The scale is right in the "
        f"middle.{note}</figcaption></div>\n"
        f'<ul class="legend">{items}</ul></figure>'
    )


def _svg(picture: Picture, scale: Scale) -> str:
    width, height = picture.width, picture.height
    unit = max(width, height) / 100
    bar = scale.share * width
    x, y = 2.5 * unit, height - 3 * unit
    text = f'font-family="sans-serif" font-size="{2.6 * unit:.1f}" font-weight="600"'
    north_x, north_y = width - 4 * unit, 2.5 * unit
    out, down, back = 1.6 * unit, 4.6 * unit, 1.1 * unit
    arrow = (
        f"M{north_x:.1f} {north_y:.1f} l{out:.1f} {down:.1f} l{-out:.1f} {-back:.1f} "
        f"l{-out:.1f} {back:.1f} z"
    )
    halo = f'stroke="#fff" stroke-width="{0.8 * unit:.1f}" paint-order="stroke" fill="#111"'
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="Map of the survey">'
        f'<image href="{_data(picture)}" width="{width}" height="{height}"/>'
        f'<path d="{arrow}" {halo}/>'
        f'<text x="{north_x:.1f}" y="{north_y + 7.2 * unit:.1f}" text-anchor="middle" {text} '
        f"{halo}>N</text>"
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{bar:.1f}" height="{0.9 * unit:.1f}" {halo}/>'
        f'<text x="{x:.1f}" y="{y - unit:.1f}" {text} {halo}>{scale.said}</text></svg>'
    )


def _legend(contents: Contents, row: LegendRow) -> str:
    return f"<li>{_swatch(contents, row.node_id)}<span>{_node(contents, row.node_id)}</span></li>"


def _swatch(contents: Contents, node_id: int) -> str:
    rgb = (
        UNSURE_RGBA[:3] if node_id == UNSURE else node_colours(contents.survey.model.tree)[node_id]
    )
    code = "".join(f"{each:02x}" for each in rgb)
    # The policy allows no style of its own.
    return (
        f'<svg class="swatch" width="12" height="12" aria-hidden="true">'
        f'<rect width="12" height="12" fill="#{code}" stroke="#8a949d"/></svg>'
    )


def _node(contents: Contents, node_id: int) -> str:
    tree = contents.survey.model.tree
    return NOT_SURE_SAID if node_id == UNSURE else escape(tree.nodes[node_id].name)


def _classes(contents: Contents) -> str:
    """What the answers count, and if the survey is checked, what that says of the ground."""
    rows = []
    for row in contents.rows:
        depth = min(row.depth, 3)
        rows.append(
            f'<tr><td class="d{depth}">{_swatch(contents, row.node_id)} '
            f"{_node(contents, row.node_id)}</td><td>{row.all_cells:,}</td>"
            f"<td>{row.all_hectares:,.1f}</td></tr>"
        )
    counted = _table(COUNTED, ["Class", "Squares", "Hectares, counted"], rows)
    found = contents.findings
    if found is None or found.estimate is None:
        return f"<h2>{COUNTED}</h2>{counted}"
    result, survey = found.estimate, contents.survey
    map_ha = dict(zip(found.answers, found.map_ha.tolist(), strict=True))
    users = dict(zip(found.answers, result.users, strict=True))
    lines = [
        f"<tr><td>{escape(ground_name(survey, node))}</td><td>{map_ha.get(node, 0.0):,.1f}</td>"
        f"<td>{figure.value:,.1f}<small>{figure.low:,.1f} to {figure.high:,.1f}</small></td>"
        f"<td>{_accuracy(users.get(node))}</td><td>{_accuracy(producers)}</td></tr>"
        for node, figure, producers in zip(
            found.grounds, result.areas, result.producers, strict=True
        )
    ]  # fmt: skip
    left_out = (
        f'<p class="mind">{result.left_out_ha:,.1f} ha are in no estimate: no square of their '
        "classes on the map could be judged.</p>"
        if result.left_out_ha
        else ""
    )
    unclear = (
        f"<p>Of {found.unclear:,} squares the person couldn't tell ({result.unclear:.1%} of the "
        f"area): with all of them wrong the map would be {result.if_wrong:.1%} right, with all "
        f"right {result.if_right:.1%}.</p>"
        if found.unclear
        else ""
    )
    if found.learned:
        left_out += (
            f'<p class="mind">{found.learned:,} squares ({found.learned_ha:,.1f} ha) are in no '
            "estimate: the model learned from them, so they can't check it.</p>"
        )
    if found.unknown_examples:
        left_out += (
            '<p class="mind">What ground this taught model learned from is not known here. If it '
            "is in this survey, the estimates flatter the model.</p>"
        )
    not_sure = (
        "<p>Where the map is not sure, it counts as not right: "
        f"{map_ha[NOT_SURE] / found.map_ha.sum():.0%} of the area.</p>"
        if NOT_SURE in map_ha else ""
    )  # fmt: skip
    left = (
        f'<p class="mind">{found.left:,} squares of the sample are not judged yet.</p>'
        if found.left else ""
    )  # fmt: skip
    head = ["Class", "Hectares on the map", "Hectares, 95 % interval", "User's accuracy",
            "Producer's accuracy"]  # fmt: skip
    return (
        f"<h2>{ESTIMATED}</h2>{_table(ESTIMATED, head, lines)}{not_sure}{left}{left_out}{unclear}"
        f"<h2>{COUNTED}</h2>{counted}"
    )


def _table(name: str, head: Sequence[str], rows: Sequence[str]) -> str:
    """A table that scrolls by itself if it is too wide."""
    titles = "".join(f'<th scope="col">{escape(each)}</th>' for each in head)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{name}"><table><thead><tr>'
        f"{titles}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _accuracy(figure: Figure | None) -> str:
    if figure is None or figure.high <= 0:
        return "–"
    return f"{figure.value:.1%}<small>{100 * figure.low:.1f} to {100 * figure.high:.1f}</small>"


def _interval(figure: Figure, factor: float, unit: str) -> str:
    """A figure with its 95 % interval.

    >>> _interval(Figure(0.9, 0.02, 0.85, 0.94, "Wilson"), 100, "%")
    '90.0 % (95 % interval 85.0 to 94.0)'
    """
    return (
        f"{factor * figure.value:.1f} {unit} (95 % interval {factor * figure.low:.1f} to "
        f"{factor * figure.high:.1f})"
    )


def _matrix(contents: Contents) -> str:
    """Squares that were judged: answers of the map by what a person said."""
    found, survey = contents.findings, contents.survey
    if found is None or found.estimate is None:
        return ""
    tree = survey.model.tree
    head = ["The map says", *(ground_name(survey, each) for each in found.grounds), "All"]
    lines = []
    for node, counts in zip(found.answers, found.matrix.tolist(), strict=True):
        cells = []
        for ground, count in zip(found.grounds, counts, strict=True):
            right = node >= 0 and ground >= 0 and tree.is_inside(ground, node)
            cells.append(f'<td class="hit">{count:,}</td>' if right else f"<td>{count:,}</td>")
        lines.append(
            f"<tr><td>{escape(name_of(survey, node))}</td>{''.join(cells)}"
            f"<td>{sum(counts):,}</td></tr>"
        )
    return (
        f'<h2>{JUDGED}</h2><p class="quiet">Rows: the map. Columns: the person. Right answers are '
        f"bold.</p>{_table(JUDGED, head, lines)}"
    )


def _squares(contents: Contents, chips: Mapping[int, Picture]) -> str:
    if not contents.squares:
        return ""
    figures = "\n".join(_square(contents, each, chips.get(each.cell)) for each in contents.squares)
    return (
        '<h2>Some squares</h2><p class="quiet">Drawn at random, not chosen; in percent, what the '
        f'model says.</p><div class="squares">{figures}</div>'
    )


def _square(contents: Contents, square: Square, chip: Picture | None) -> str:
    place = contents.survey.grid.centre(square.cell)
    picture = f'<img src="{_data(chip)}" alt="" width="128" height="128">' if chip else ""
    extra = [each for each in (square.doubt, square.judged and f"judged: {square.judged}") if each]
    lines = "".join(f"<br>{escape(each)}" for each in extra)
    sure = "" if square.answer == NOT_SURE_SAID else f", {square.probability:.0%}"
    return (
        f"<figure>{picture}<figcaption><b>{escape(square.answer)}{sure}</b>"
        f"{place.lat:.5f}, {place.lng:.5f}{lines}</figcaption></figure>"
    )


def _method(contents: Contents) -> str:
    survey, check = contents.survey, contents.check
    levels = survey.model.levels
    needed = f"{levels.cls:.0%}" if survey.model.tree.is_flat else (
        f"{levels.top:.0%} for a group at the top, {levels.group:.0%} for a smaller group and "
        f"{levels.cls:.0%} for a class"
    )  # fmt: skip
    corrected = len(survey.corrections)
    by_hand = f" A person corrected {corrected:,} of them, and similar ones follow." * bool(
        corrected
    )
    sentences = [
        f"The area was divided into squares of {survey.grid.side_m:g} m, "
        f"{survey.grid.side_m * survey.grid.step:g} m from one to the next, and each was "
        f"classified on the surveyor's own device by the model {escape(survey.model.title)}.",
        "The answer for a square is the finest class or group of classes whose calibrated "
        f"probability reaches the threshold of its level: {needed}; without one it is "
        f"&ldquo;{NOT_SURE_SAID}&rdquo;.{by_hand}",
    ]
    if contents.is_checked and check is not None:
        sentences.append(
            f"A person judged a stratified random sample of these squares (seed {check.seed}, "
            f"{escape(check.allocation)} allocation, strata by {escape(check.by)}), from which "
            "accuracy and areas follow as in Olofsson et al., Good practices for estimating area "
            "and assessing accuracy of land change, RSE 148, 2014, with 95 % intervals by Wilson "
            "and by draws from a Dirichlet posterior."
        )
    else:
        sentences.append(escape(COUNTED_ONLY))
    return "<h2>Method</h2>" + "".join(f"<p>{each}</p>" for each in sentences)


def _sources(contents: Contents) -> str:
    model, imagery = contents.survey.model, contents.survey.imagery
    facts = [
        ("Model", model.title), ("Trained on", model.training_data or "not said"),
        ("Licence of the model", model.licence or "not said"),
        ("Its pictures are for", model.use),
        ("Imagery", imagery.name), ("Credit", imagery.credit or "not said"),
        ("Date of the imagery", in_words(imagery.date) if imagery.date else "unknown"),
        ("Address", imagery.url), ("Zooms", f"{imagery.min_zoom} to {imagery.max_zoom}"),
    ]  # fmt: skip
    return f"<h2>Model and imagery</h2>{_list(facts)}"


def _evidence(contents: Contents) -> str:
    model = contents.survey.model
    facts = [
        ("Model, SHA-256", model.sha256),
        ("Its network", "" if model.network == model.sha256 else model.network),
        ("All chips, SHA-256", contents.evidence_sha256), ("Survey", contents.survey.id),
        ("Lookdown", contents.version),
    ]  # fmt: skip
    return (
        f"<h2>To check it again</h2>{_list(facts)}<p>The survey saved as GeoJSON holds the SHA-256 "
        "of every chip. <code>lookdown replay SURVEY.geojson</code> reads the same imagery again "
        "and compares chip and answer of each square.</p>"
    )


def _list(facts: Sequence[tuple[str, str]]) -> str:
    rows = [f"<dt>{escape(name)}</dt><dd>{escape(said)}</dd>" for name, said in facts if said]
    return f"<dl>{''.join(rows)}</dl>"


def _data(picture: Picture) -> str:
    return f"data:{picture.media};base64,{base64.b64encode(picture.data).decode()}"
