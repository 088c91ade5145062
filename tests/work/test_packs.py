"""Packs: one file from one device to another, refused if a byte of it was changed."""

import hashlib
import io
import json
import random
import zipfile
from dataclasses import replace

import pytest

from pyapp.core.errors import DamagedModelError
from pyapp.core.imagery.source import Allows
from pyapp.core.pack.archive import HEAD_BYTES, is_pack, zipped
from pyapp.core.pack.errors import (
    ChangedPackError,
    ForbiddenKeepError,
    NewerPackError,
    NotAPackError,
    PackError,
)
from pyapp.core.pack.manifest import MODEL, PROJECT, SURVEY, Credit, Manifest
from pyapp.core.pack.tiles import key_of, tile_of
from pyapp.work.kept import TILES, KeptAreas
from pyapp.work.own_models import OwnModels, name_of
from pyapp.work.packs import Given, Unpacker, opened, written
from pyapp.work.ports import UnreachableError
from tests.work.fakes import FakeFetch, FakeRecords, card_text, run
from tests.work.test_keep import SOURCE, FullRecords, Visit, area, jpeg

GIVEN = [
    Given("model/model.onnx", "model", "Ours", b"network" * 1000),
    Given("model/card.json", "card", "Ours", b"{}"),
    Given("surveys/1.geojson", "survey", "<b>Valley</b>", b'{"type": "FeatureCollection"}'),
    Given("project.zip", "project", "Roofs", b"PK"),
]
CREDITS = [Credit("model Ours", "learned from pictures", "MIT", "research")]


class File:
    """A file in memory; what was read of it is counted."""

    def __init__(self, data, name="valley.zip"):
        self.data, self.name, self.size = data, name, len(data)
        self.read_bytes = 0

    async def read(self, offset, length):
        found = self.data[offset : offset + length]
        self.read_bytes += len(found)
        return found

    async def sha256(self, offset, length):
        return hashlib.sha256(await self.read(offset, length)).hexdigest()


def nothing(_done, _total):
    """Hears of progress."""


async def packed(given=GIVEN, wanted=None, fetch=None) -> bytes:
    visit = Visit(FullRecords(), fetch or FakeFetch(jpeg))
    held = await visit.keep(wanted)
    pieces = await written(visit.areas, held, given, CREDITS, "2026-11-26T08:00:00", nothing)
    return b"".join(pieces)


def open_(data, name="valley.zip"):
    return opened(File(data, name), nothing)


def test_a_pack_is_a_zip_that_others_read_and_its_imagery_is_pmtiles():
    data = run(packed())
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert {each.compress_type for each in archive.infolist()} == {zipfile.ZIP_STORED}
        assert archive.namelist()[0] == "manifest.json"
        assert archive.read("model/model.onnx") == GIVEN[0].data
        manifest = json.loads(archive.read("manifest.json"))
        imagery = archive.read("imagery.pmtiles")
    assert is_pack(data[:HEAD_BYTES]) and not is_pack(b"PK\x03\x04" + bytes(500))
    assert manifest["area"]["zooms"] == [15, 18]
    assert [each["of"] for each in manifest["credits"]] == ["imagery", "model Ours"]
    pmtiles = pytest.importorskip("pmtiles.reader")
    reader = pmtiles.Reader(pmtiles.MemorySource(imagery))
    for tile in area().tiles():
        assert reader.get(tile.z, tile.x, tile.y) == jpeg(SOURCE.url_of(tile))
    assert reader.header()["tile_type"].name == "JPEG"


def test_on_another_device_it_works_at_once_and_lasts():
    gone = SOURCE.url_of(area().tiles()[3])
    data = run(packed(fetch=FakeFetch(lambda url: 404 if url == gone else jpeg(url))))
    records = FullRecords()
    offline = FakeFetch(lambda url: UnreachableError("no network"))

    async def work():
        there = Visit(records, offline)
        await there.areas.begin()
        pack = await open_(data)
        assert [each.title for each in pack.manifest.of_kind(SURVEY)] == ["<b>Valley</b>"]
        (model,) = pack.manifest.of_kind(MODEL)
        assert await pack.data(model) == GIVEN[0].data
        unpacker = Unpacker(there.areas)
        held = await unpacker.lend(pack)
        assert not held.stored
        for tile in area().tiles()[4:20]:
            assert await there.ground.read_tile(SOURCE, tile) == jpeg(SOURCE.url_of(tile))
        assert records.tables[TILES] == {}
        await unpacker.store(pack, held)
        assert held.is_complete and held.missing == {key_of(area().tiles()[3])}
        later = Visit(records, offline)
        await later.areas.begin()
        for tile in area().tiles()[4:]:
            assert await later.ground.read_tile(SOURCE, tile) == jpeg(SOURCE.url_of(tile))
        # Opened again, nothing is there twice.
        again = await Unpacker(later.areas).lend(await open_(data))
        assert list(later.areas.held) == ["a1"] and again.is_complete
        assert len(offline.asked) == 0

    run(work())


def test_a_byte_that_changed_is_found_in_every_part_and_the_part_is_named():
    data = run(packed(wanted=area(400.0)))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        listed = archive.infolist()
    chance = random.Random(1)
    for each in listed:
        start = each.header_offset + 30 + len(each.filename)
        places = {start, start + each.file_size - 1}
        places |= {chance.randrange(start, start + each.file_size) for _ in range(20)}
        for place in places:
            changed = bytearray(data)
            changed[place] ^= 1 << chance.randrange(8)
            with pytest.raises(ChangedPackError, match=each.filename):
                run(open_(bytes(changed)))


def test_no_changed_byte_is_taken_for_something_else():
    """Between the parts, a byte may be of no consequence; whatever opens is as it was written."""
    data = run(packed(wanted=area(200.0)))
    chance = random.Random(2)
    whole = run(open_(data)).manifest
    for place in chance.sample(range(len(data)), 300):
        changed = bytearray(data)
        changed[place] ^= 1 << chance.randrange(8)
        try:
            pack = run(open_(bytes(changed)))
        except PackError:
            continue
        assert pack.manifest == whole


def test_a_pack_that_is_cut_short_is_refused():
    data = run(packed(wanted=area(400.0)))
    chance = random.Random(3)
    lengths = [len(data) - 1, len(data) // 2, 100, *chance.sample(range(100, len(data)), 40)]
    for length in lengths:
        with pytest.raises(PackError, match="cut short or damaged"):
            run(open_(data[:length]))
    for other in (b"", b"PK\x03\x04", b"text", bytes(1000)):
        with pytest.raises(NotAPackError):
            run(open_(other))


def repacked(data, change):
    """A pack with another manifest."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    facts = json.loads(files["manifest.json"])
    files["manifest.json"] = json.dumps(change(facts) or facts).encode()
    return b"".join(zipped({name: [each] for name, each in files.items()}))


def test_a_newer_version_is_named():
    data = repacked(run(packed(wanted=area(400.0))), lambda facts: facts.update(version=2))
    with pytest.raises(NewerPackError, match="packs of version 2"):
        run(open_(data))


@pytest.mark.parametrize(
    "change",
    [
        lambda facts: [1],
        lambda facts: {"format": "else"},
        lambda facts: facts.update(version="1"),
        lambda facts: facts.update(parts=[]),
        lambda facts: facts.update(missing=["1/2"]),
        lambda facts: facts["area"].update(bounds=[0, 0, float("nan"), 1]),
        lambda facts: facts["area"].update(bounds=[9, 0, 1, 1]),
        lambda facts: facts["area"].update(zooms=[3, 99]),
        lambda facts: facts["area"].update(total=10**9),
        lambda facts: facts["area"]["source"].update(url="javascript:{z}{x}{y}"),
        lambda facts: facts["area"]["source"].update(url="https://a.org/{z}"),
        lambda facts: facts["area"]["source"].update(terms="javascript:alert(1)"),
        lambda facts: facts["area"]["source"].update(name=5),
        lambda facts: facts["area"]["source"].update(name="x" * 10_000),
        lambda facts: facts["parts"].append(facts["parts"][0]),
    ],
)
def test_a_manifest_that_makes_no_sense_is_refused(change):
    data = run(packed(wanted=area(400.0)))
    with pytest.raises(PackError):
        run(open_(repacked(data, change)))


def test_a_part_that_is_missing_is_named():
    data = run(packed(wanted=area(400.0)))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {name: [archive.read(name)] for name in archive.namelist()}
    del files["project.zip"]
    with pytest.raises(ChangedPackError, match=r"project\.zip is missing"):
        run(open_(b"".join(zipped(files))))


def test_a_pack_that_was_compressed_is_refused():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", "{}" * 100)
    with pytest.raises(NotAPackError, match="packed anew"):
        run(open_(out.getvalue()))


def test_markup_in_names_stays_text():
    def change(facts):
        facts["area"]["source"]["credit"] = "<img src=x onerror=alert(1)>"
        facts["area"]["source"]["id"] = "swissimage"

    data = repacked(run(packed(wanted=area(400.0))), change)
    source = run(open_(data)).manifest.area.source
    # Leaflet shows attributions as HTML.
    assert source.attribution == "&lt;img src=x onerror=alert(1)&gt;"
    # And it does not take the place of a source of the page.
    assert source.id == "own-swissimage"


def test_what_the_page_knows_about_the_terms_counts():
    data = run(packed(wanted=area(400.0)))

    async def work():
        there = Visit(FullRecords(), FakeFetch(jpeg))
        await there.areas.begin([replace(SOURCE, allows=Allows(keep=False))])
        with pytest.raises(ForbiddenKeepError):
            await Unpacker(there.areas).lend(await open_(data))
        assert there.areas.held == {}

    run(work())


def test_a_pack_does_not_write_into_another_area():
    data = run(packed(wanted=area(400.0)))

    async def work():
        there = Visit(FullRecords(), FakeFetch(jpeg))
        await there.areas.begin()
        mine = await there.areas.add(area(900.0))
        held = await Unpacker(there.areas).lend(await open_(data))
        assert held is not mine and len(there.areas.held) == 2

    run(work())


def test_a_full_disk_keeps_what_is_stored_and_the_file_can_be_opened_again():
    data = run(packed())
    records = FullRecords(room=50)

    async def work():
        there = Visit(records, FakeFetch(lambda url: UnreachableError("none")))
        await there.areas.begin()
        unpacker = Unpacker(there.areas)
        pack = await open_(data)
        held = await unpacker.lend(pack)
        with pytest.raises(Exception, match="storage of this device is full"):
            await unpacker.store(pack, held)
        # As long as the page is open, the file itself is read.
        assert await there.ground.read_tile(SOURCE, area().tiles()[-1])
        records.room = None
        later = Visit(records, there.fetch)
        await later.areas.begin()
        assert 0 < len(later.areas.held["a1"].stored) <= 54
        again = Unpacker(later.areas)
        pack = await open_(data)
        held = await again.lend(pack)
        await again.store(pack, held)
        assert held.is_complete

    run(work())


def test_checking_reads_each_byte_about_once():
    file = File(run(packed()))

    async def work():
        said = []
        await opened(file, lambda done, total: said.append((done, total)))
        assert said[-1][0] == said[-1][1]

    run(work())
    assert file.read_bytes < 2 * file.size + (1 << 20)


def test_a_model_is_taken_with_its_card():
    network = b"network"
    records = FakeRecords()
    records.tables = {"cards": {}, "files": {}}
    own = OwnModels(records)
    sha256 = hashlib.sha256(network).hexdigest()
    name = own.take(card_text("elsewhere", sha256=sha256), network)
    assert name == name_of(sha256) and run(own.card(name)).labels
    for wrong in ("[]", "no JSON", card_text("elsewhere")):
        with pytest.raises(DamagedModelError):
            own.take(wrong, network)


def test_a_manifest_comes_back_as_it_was():
    data = run(packed(wanted=area(400.0)))
    manifest = run(open_(data)).manifest
    assert Manifest.from_json(manifest.to_json().encode(), "x") == manifest
    assert tile_of(key_of(area().tiles()[0])) == area().tiles()[0]
    assert [each.title for each in manifest.of_kind(PROJECT)] == ["Roofs"]
    assert KeptAreas(FullRecords()).held == {}
