"""The settings of a run, read from a TOML file; ``recipes/ucmerced.toml`` explains them."""

import argparse
import dataclasses
import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from training.errors import TrainingError
from training.files import write_text
from training.run import COPY_FILE
from training.tables import from_table

RECIPES = Path(__file__).with_name("recipes")
DEFAULT_FILE = RECIPES / "ucmerced.toml"
PROJECT_FILE = RECIPES / "project.toml"


@dataclass(frozen=True)
class GroundSettings:
    """Table ``ground``: what one chip shows."""

    footprint_m: float
    chip_px: int


@dataclass(frozen=True)
class SplitSettings:
    """Table ``split``: how the pictures are divided."""

    seed: int
    validation: float
    use_all: bool
    test: float


@dataclass(frozen=True)
class TrainSettings:
    """Table ``train``: how a network is trained."""

    epochs: int
    batch: int
    learning_rate: float
    weight_decay: float
    label_smoothing: float
    mixup: float
    ema: float
    frozen: float
    device: str


@dataclass(frozen=True)
class StudentSettings:
    """Table ``student``: how a student is cut out of its teacher and trained by it."""

    views: int
    trust: float
    teacher_px: int
    narrow: float
    epochs: int
    learning_rate: float
    frozen: float


@dataclass(frozen=True)
class AugmentSettings:
    """Table ``augment``: how pictures are varied."""

    turn_deg: float
    scale: tuple[float, float]
    shift: float
    coarsest_m: float
    coarse_share: float
    jpeg_share: float
    jpeg_quality: tuple[int, int]
    light: float
    haze: float


@dataclass(frozen=True)
class AnswerSettings:
    """Table ``answer``: what the answers on the page should promise."""

    right: float
    coverage: tuple[float, ...]
    familiar: float


@dataclass(frozen=True)
class CompressSettings:
    """Table ``compress``: how smaller variants are made, and what they may lose."""

    calibration_images: int
    thin: float
    narrow: float
    epochs: int
    learning_rate: float
    largest_loss: float


@dataclass(frozen=True)
class SourceSettings:
    """Table ``sources``: what the network learns from, and what it never learns from."""

    tree: str
    home: tuple[str, ...]
    abroad: tuple[str, ...]
    per_label: int
    right: float
    judge_epochs: int


@dataclass(frozen=True)
class StudySettings:
    """Table ``study``: the short runs of ``python -m training study``."""

    chip_px: int
    epochs: int
    left_out: int
    split_epochs: int
    splits: int
    split_test: float


@dataclass(frozen=True)
class Settings:
    """All settings of a run."""

    name: str
    title: str
    backbone: str
    seeds: tuple[int, ...]
    ground: GroundSettings
    split: SplitSettings
    train: TrainSettings
    student: StudentSettings
    augment: AugmentSettings
    answer: AnswerSettings
    compress: CompressSettings
    sources: SourceSettings
    study: StudySettings

    def with_chip_px(self, chip_px: int) -> "Settings":
        """The same settings for chips of another side, in pixels."""
        return replace(self, ground=replace(self.ground, chip_px=chip_px))

    def without(self, source: str) -> "Settings":
        """The settings of a network that never sees a source, to judge by it.

        It learns from all others, also from those that the network for the page never sees, from
        one seed and without a teacher: quicker, and rather worse than the network for the page.

        Raises
        ------
        TrainingError
            If the source is not among those of the settings, or is the only one.
        """
        how = self.sources
        others = tuple(each for each in (*how.home, *how.abroad) if each != source)
        if source not in how.home or not others:
            raise TrainingError(
                f"There is nothing to learn from without {source}: the settings learn from "
                f"{', '.join(how.home)}."
            )
        return replace(
            self,
            name=name_without(self.name, source),
            seeds=self.seeds[:1],
            split=replace(self.split, use_all=False),
            train=replace(self.train, epochs=how.judge_epochs),
            student=replace(self.student, views=0),
            sources=replace(how, home=others, abroad=(source,)),
        )


def name_without(name: str, source: str) -> str:
    """The name of the run whose network never sees a source."""
    return f"{name}-without-{source}"


def read(path: Path = DEFAULT_FILE) -> Settings:
    """The settings in a TOML file.

    Raises
    ------
    TrainingError
        If the file can't be read, or if a setting is missing, unknown or of the wrong type.
    """
    try:
        return from_table(Settings, tomllib.loads(path.read_text(encoding="utf-8")), "the file")
    except (OSError, ValueError) as error:  # TOMLDecodeError and UnicodeDecodeError among them.
        raise TrainingError(f"The settings {path} cannot be read: {error}.") from error


def choose(options: argparse.Namespace) -> Settings:
    """The settings that a command line asks for.

    Raises
    ------
    TrainingError
        As `read` does.
    """
    default = PROJECT_FILE if options.project else DEFAULT_FILE
    settings = read(options.settings or default)
    if options.name:
        settings = replace(settings, name=options.name, title=options.name)
    if options.backbone:
        settings = replace(settings, backbone=options.backbone)
    if options.seeds:
        settings = replace(settings, seeds=tuple(options.seeds))
    if options.epochs:
        fewer = min(settings.student.epochs, options.epochs)
        settings = replace(
            settings,
            train=replace(settings.train, epochs=options.epochs),
            student=replace(settings.student, epochs=fewer),
        )
    return settings.without(options.without) if options.without else settings


def as_toml(settings: Settings) -> str:
    """The settings as a TOML file that `read` takes."""
    facts = dataclasses.asdict(settings)
    tables = {name: value for name, value in facts.items() if isinstance(value, dict)}
    lines = [_line(name, value) for name, value in facts.items() if name not in tables]
    for name, table in tables.items():
        lines += ["", f"[{name}]", *(_line(*each) for each in table.items())]
    return "\n".join(lines) + "\n"


def write(settings: Settings, run: Path) -> None:
    """Write the settings of a run beside its result, so that it can be run again."""
    write_text(run / COPY_FILE, as_toml(settings))


def _line(name: str, value: object) -> str:
    """A line of TOML; JSON writes its numbers, strings and arrays the same way."""
    return f"{name} = {json.dumps(value, ensure_ascii=False)}"
