"""Settings are complete, of the right types, and written as they are read."""

from dataclasses import replace

import pytest

from training import settings
from training.errors import TrainingError
from training.run import COPY_FILE


def test_what_is_written_is_read_again(tmp_path):
    changed = replace(settings.read(), title='A "quoted" title, naïve', seeds=(4,))
    settings.write(changed, tmp_path)
    assert settings.read(tmp_path / COPY_FILE) == changed


@pytest.mark.parametrize(
    ("line", "instead", "complaint"),
    [
        ("epochs = 14", "", r"\[train\] lacks epochs"),
        ("epochs = 14", "epochs = 14\nepoch = 3", r"\[train\] has no setting epoch"),
        ("[student]", "[pupil]", "the file has no setting pupil"),
        ("epochs = 14", 'epochs = "14"', 'epochs = "14" is not of the right type'),
        ("seeds = [1, 2, 3]", "seeds = [1.5]", "seeds = 1.5 is not of the right type"),
        ("scale = [0.8, 1.25]", "scale = [0.8]", r"scale = \[0.8\] is not of the right type"),
        ("use_all = true", "use_all = 1", "use_all = 1 is not of the right type"),
        ("[answer]", "[answer.more]", r"\[answer\] has no setting more"),
    ],
)
def test_a_setting_that_does_not_fit_is_named(tmp_path, line, instead, complaint):
    file = tmp_path / "mine.toml"
    text = settings.DEFAULT_FILE.read_text()
    assert line in text
    file.write_text(text.replace(line, instead, 1))
    with pytest.raises(TrainingError, match=complaint):
        settings.read(file)


def test_a_value_in_the_place_of_a_table_is_named(tmp_path):
    file = tmp_path / "mine.toml"
    before_study = settings.DEFAULT_FILE.read_text().split("[study]")[0]
    file.write_text("study = 3\n" + before_study)
    with pytest.raises(TrainingError, match="study = 3 is not of the right type"):
        settings.read(file)


def test_a_whole_number_is_taken_for_a_fraction(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(settings.DEFAULT_FILE.read_text().replace("mixup = 0.2", "mixup = 0"))
    assert settings.read(file).train.mixup == 0.0
