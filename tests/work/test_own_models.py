"""Models that a person opened: asked about, used, kept, found again, removed."""

import hashlib

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto

from pyapp.core.errors import ModelError
from pyapp.core.model.about import BYTES, UNIT, About
from pyapp.core.model.card import Card
from pyapp.core.model.foreign_errors import (
    AboutModelError,
    ForeignModelError,
    LargeModelError,
    RefusedModelError,
    UnreachableModelError,
)
from pyapp.core.model.prediction import EMBEDDING, predictions
from pyapp.work.own_models import (
    MOST_BYTES,
    OwnModels,
    Question,
    fetch_model,
    is_own,
    name_of,
    why_refused,
)
from pyapp.work.ports import ModelRefusedError, RecordsRefusedError, StatusError, UnreachableError
from tests.core.plain_models import LABELS, SIDE, plain_model
from tests.work.fakes import FakeRecords, run
from tests.work.parts import Parts

DATA = plain_model("NCHW", batch=1)
NAME = name_of(hashlib.sha256(DATA).hexdigest())
SAID = About("Theirs <b>", LABELS, UNIT, 60.0, True, SIDE)


class NativeNetwork:
    """The real runtime, native, behind the port."""

    def __init__(self, data, log):
        self.session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
        self.inputs = [each.name for each in self.session.get_inputs()]
        self.outputs = [each.name for each in self.session.get_outputs()]
        self.log = log

    async def run(self, chips):
        found = self.session.run(None, {self.inputs[0]: chips})
        return dict(zip(self.outputs, found, strict=True))

    async def close(self):
        self.log.append("closed")


class NativeRuntime:
    """Opens with onnxruntime itself."""

    def __init__(self):
        self.log = []

    def is_supported(self):
        return True

    async def open(self, model, backend):
        try:
            return NativeNetwork(model, self.log)
        except Exception as error:
            raise ModelRefusedError(str(error)) from error


class Room(Parts):
    """The parts, with models of one's own."""

    def __init__(self, records=None):
        super().__init__()
        self.own_records = records or FakeRecords()
        self.own_records.tables |= {
            name: self.own_records.tables.get(name, {}) for name in ("cards", "files")
        }
        self.own = self.files.own = OwnModels(self.own_records)
        self.fake = self.runtime

    def go_native(self):
        self.files._runtime = NativeRuntime()

    async def open(self, data=DATA, said=SAID):
        """As the page does it."""
        question = await self.own.look("theirs.onnx", data)
        assert isinstance(question, Question)
        name = self.own.answer(question, said)
        await self.models.choose(name)
        await self.own.keep(name)
        await self.models.relist()
        return name


def test_a_plain_classifier_is_used_kept_found_again_and_removed():
    room = Room()

    async def first():
        await room.load()
        room.go_native()
        assert await room.open() == NAME
        card = room.models.runner.card
        assert (card.title, card.embeds, card.judged) == ("Theirs <b>", False, False)
        chips = np.random.default_rng(1).integers(0, 256, (3, SIDE, SIDE, 3), np.uint8)
        outputs = await room.models.runner.run(chips)
        assert outputs[EMBEDDING].shape == (3, 0), "one chip at a time, put together"
        assert predictions(card, outputs)[0].answer is not None
        assert room.models.listed[-1].title == "Theirs <b>"

    run(first())
    later = Room(room.own_records)

    async def second():
        await later.load()
        later.go_native()
        await later.models.relist()
        assert [each.name for each in later.models.listed] == ["ours", "other", NAME]
        assert await later.own.look("renamed.onnx", DATA) == NAME, "it is not asked again"
        await later.models.choose(NAME)
        assert later.models.runner.card.labels == LABELS
        assert await later.files.golden(NAME) is None
        await later.own.remove(NAME)
        await later.models.relist()
        assert [each.name for each in later.models.listed] == ["ours", "other"]
        assert room.own_records.tables["files"] == {}
        with pytest.raises(ForeignModelError, match="no longer kept"):
            await later.files.card(NAME)
        assert isinstance(await later.own.look("theirs.onnx", DATA), Question)

    run(second())


def test_one_that_a_link_names_is_there_at_the_start():
    room = Room()

    async def work():
        await room.load()
        room.go_native()
        await room.open()
        again = Room(room.own_records)
        again.go_native()
        await again.models.read_list()
        await again.models.load_first(NAME)
        assert again.models.runner.card.name == NAME

    run(work())


def test_what_the_runtime_refuses_is_said_and_the_one_before_stays():
    room = Room()
    model = onnx.load_from_string(DATA)
    next(each for each in model.graph.node if each.op_type == "Relu").op_type = "Unheard"

    async def work():
        await room.load()
        room.go_native()
        question = await room.own.look("theirs.onnx", model.SerializeToString())
        name = room.own.answer(question, SAID)
        with pytest.raises(ModelError) as found:
            await room.models.choose(name)
        said = why_refused("theirs.onnx", found.value)
        assert isinstance(said, RefusedModelError) and "Unheard" in str(said)
        assert room.models.runner.card.name == room.models.chosen == "ours"
        room.own.drop(name)
        assert await room.own.list() == []

    run(work())


def test_logits_that_are_called_probabilities_are_noticed():
    room = Room()

    async def work():
        await room.load()
        room.go_native()
        wrong = About("Theirs", LABELS, UNIT, 60.0, False, SIDE)
        with pytest.raises(ModelError) as found:
            await room.open(said=wrong)
        assert "they may be logits" in str(why_refused("theirs.onnx", found.value))

    run(work())


def test_bytes_and_probabilities():
    room = Room()
    data = plain_model("NHWC", kind=TensorProto.UINT8, softmax=True)

    async def work():
        await room.load()
        room.go_native()
        name = await room.open(data, About("Bytes", LABELS, BYTES, 60.0, False, SIDE))
        assert is_own(name) and room.models.runner.card.title == "Bytes"

    run(work())


def test_a_full_disk_costs_the_next_visit_only():
    room = Room()

    async def work():
        await room.load()
        room.go_native()
        room.own_records.refuses = "the storage of this device is full"
        with pytest.raises(RecordsRefusedError):
            await room.open()
        assert room.models.runner.card.name == NAME
        assert [each.name for each in await room.own.list()] == [NAME]
        assert room.own.is_new(NAME)

    run(work())


def test_damaged_records_are_left_out():
    room = Room()
    room.own_records.tables["cards"] = {"own-1": {"card": "{"}, "own-2": {}, "own-3": {"card": 7}}
    room.own_records.tables["files"] = {"own-1": {"data": "text"}}

    async def work():
        assert await room.own.list() == []
        for name in ("own-1", "own-2", "own-3"):
            with pytest.raises(ForeignModelError):
                await room.own.card(name)
        with pytest.raises(ForeignModelError):
            await room.own.data("own-1")

    run(work())


def test_what_the_person_says_must_fit():
    room = Room()

    async def work():
        question = await room.own.look("theirs.onnx", DATA)
        with pytest.raises(AboutModelError):
            room.own.answer(question, About("x", LABELS[:2], UNIT, 60.0, True, SIDE))
        assert not room.own.is_new(question.name)

    run(work())


@pytest.mark.parametrize("failure", [StatusError(404), UnreachableError("no"), TimeoutError()])
def test_an_address_that_gives_nothing_is_said(failure):
    async def fetch(*_):
        raise failure

    with pytest.raises(UnreachableModelError, match=r"example\.org is out of reach"):
        run(fetch_model(fetch, "https://example.org/a/model.onnx?x", print))


def test_a_model_at_an_address_has_a_limit():
    heard = []

    async def fetch(url, limit_s, keep, arrived):
        arrived(10)
        arrived(MOST_BYTES + 1)

    with pytest.raises(
        LargeModelError, match=r"model\.onnx can't be used here: its file is larger"
    ):
        run(fetch_model(fetch, "https://example.org/model.onnx", heard.append))
    assert heard == [10]


def test_a_card_is_kept_as_it_is():
    room = Room()

    async def work():
        await room.load()
        card = room.models.runner.card
        assert Card.from_json(card.name, card.to_json()) == card

    run(work())
