"""The file for QGIS Deepness, against what the plugin reads and hands over.

`Plugin` does what Deepness does with a segmentation model (model_base.py, segmentor.py and
map_processor_segmentation.py of PUTvision/qgis-plugin-deepness): the plugin itself needs QGIS, and
was not run.
"""

import json

import numpy as np
import onnx
import onnxruntime
import pytest

from pyapp.core.errors import ForeignGraphError
from pyapp.core.model.card import Card
from pyapp.core.teach.deepness import NOT_SURE, for_deepness
from pyapp.core.teach.graph import Graph
from tests.core.test_teach_graph import MODELS, answers, head_of

LABELS = ("terrace", "tin roofs", "<b>", "Fluß", "五")


class Plugin:
    """A segmentation model as the plugin opens and runs it."""

    def __init__(self, data):
        self.session = onnxruntime.InferenceSession(data)
        (self.input,), (self.output,) = self.session.get_inputs(), self.session.get_outputs()
        self.facts = {
            name: json.loads(text)
            for name, text in self.session.get_modelmeta().custom_metadata_map.items()
        }

    @property
    def names(self):
        """Of the channels; their numbers have to go on from 0."""
        numbered = sorted(self.facts["class_names"].items(), key=lambda each: int(each[0]))
        assert [int(number) for number, _ in numbered] == list(range(len(numbered)))
        return [name for _, name in numbered]

    def process(self, tiles):
        """Shares of pixels, shape (N, C, S, S), of tiles, uint8, shape (N, S, S, 3)."""
        channels = self.input.shape[-3]
        mean, std = np.zeros(channels, np.float32), np.ones(channels, np.float32)
        batch = (np.float32(tiles[..., :channels] * 1.0 / 255.0) - mean) / std
        return self.session.run(None, {self.input.name: batch.transpose(0, 3, 1, 2)})[0]

    def classes(self, tiles, threshold=None):
        """The class of each pixel, shape (N, S, S)."""
        shares = self.process(tiles)
        shares[shares < (self.facts["seg_thresh"] if threshold is None else threshold)] = 0.0
        return shares.argmax(1)


@pytest.fixture(scope="module", params=MODELS, ids=lambda each: each.parent.name)
def both(request):
    """A taught model's file, its card, and its twin."""
    facts = json.loads((request.param.parent / "card.json").read_text())
    graph = Graph(request.param.read_bytes())
    head = head_of(len(LABELS), graph.head.weights.shape[1])
    taught = graph.with_head(head, {"labels": LABELS})
    facts = {"labels": LABELS, "threshold": 0.5, "tile_size": facts["tile_size"],
             "footprint_m": facts["footprint_m"], "sha256": "ab" * 32, "title": "Ours",
             "training_data": "5 examples"}  # fmt: skip
    card = Card.from_json("taught", json.dumps(facts))
    return taught, card, for_deepness(taught, card)


def tiles_of(card, count=3):
    side = card.chip_px
    chance = np.random.default_rng(4)
    tiles = chance.integers(0, 256, (count, side, side, 3), np.uint8)
    # Every value that a pixel can have.
    tiles[0].reshape(-1)[:256] = np.arange(256)
    return tiles


def test_every_pixel_of_a_tile_has_the_answer_of_the_taught_model(both):
    taught, card, twin = both
    tiles = tiles_of(card)
    wanted = answers(taught, tiles)["probability"]
    shares = Plugin(twin).process(tiles)
    side = card.chip_px
    assert shares.shape == (3, len(LABELS) + 1, side, side)
    assert np.abs(shares[:, 1:] - wanted[:, :, None, None]).max() < 1e-5
    assert (shares[:, 0] == 0).all()
    one = Plugin(twin).process(tiles[:1])
    assert np.abs(one - shares[:1]).max() < 1e-5


def test_it_has_the_keys_and_the_layout_that_the_plugin_reads(both):
    _, card, twin = both
    model = onnx.load_model_from_string(twin)
    onnx.checker.check_model(model, full_check=True)
    plugin = Plugin(twin)
    side = card.chip_px
    assert plugin.input.type == "tensor(float)" and plugin.input.shape[-3:] == [3, side, side]
    assert plugin.output.shape[-3:] == [len(LABELS) + 1, side, side]
    assert plugin.facts["model_type"].capitalize() == "Segmentor"
    assert plugin.names == [NOT_SURE, *LABELS]
    assert plugin.facts["resolution"] == pytest.approx(100 * card.footprint_m / side, abs=1e-3)
    assert (int(plugin.facts["tile_size"]), int(plugin.facts["tiles_overlap"])) == (side, 0)
    assert "standardization_mean" not in plugin.facts, "the graph does that"
    assert plugin.facts["seg_small_segment"] == 0


def test_what_is_below_the_threshold_is_not_sure(both):
    taught, card, twin = both
    tiles = tiles_of(card)
    wanted = answers(taught, tiles)["probability"]
    plugin = Plugin(twin)
    assert (plugin.classes(tiles, 0.0)[:, 0, 0] == wanted.argmax(1) + 1).all()
    between = float(np.sort(wanted.max(1))[1])
    said = plugin.classes(tiles, between + 1e-4)
    sure = wanted.max(1) > between + 1e-4
    assert (said[:, 0, 0] == np.where(sure, wanted.argmax(1) + 1, 0)).all()
    assert (said == said[:, :1, :1]).all()


def test_what_is_no_model_is_refused(both):
    for data in (b"", b"this is no model", both[0][:500]):
        with pytest.raises(ForeignGraphError):
            for_deepness(data, both[1])
