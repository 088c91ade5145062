"""Files that are there whole or not at all."""

from collections.abc import Callable
from pathlib import Path

from training.errors import TrainingError


def write_whole(file: Path, write: Callable[[Path], None]) -> None:
    """Let ``write(path)`` write beside ``file``, and give it the name once it is whole.

    Raises
    ------
    TrainingError
        Where it can't be written, for want of room as a rule; nothing is left behind then.
    """
    part = file.with_name(file.name + ".part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write(part)
        part.replace(file)
    except (OSError, RuntimeError) as error:  # RuntimeError is what torch.save says then.
        raise TrainingError(
            f"{file} could not be written: {error}. Make room and run again."
        ) from error
    finally:
        part.unlink(missing_ok=True)


def write_text(file: Path, text: str) -> None:
    """As `write_whole`, for a text."""
    write_whole(file, lambda path: path.write_text(text, encoding="utf-8"))
