"""Files that are written completely or not at all."""

from collections.abc import Callable
from pathlib import Path

from training.errors import TrainingError


def write_atomically(file: Path, write: Callable[[Path], object]) -> None:
    """Let ``write(path)`` write beside ``file``, then rename the result to ``file``.

    Parameters
    ----------
    file : Path
        Its folder is made if it isn't there.
    write : function
        Takes the path to write to.

    Raises
    ------
    TrainingError
        If it can't be written, usually because the disk is full. An earlier ``file`` stays as it
        was, and nothing else is left behind.
    """
    part = file.with_name(file.name + ".part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write(part)
        part.replace(file)
    except (OSError, RuntimeError) as error:  # torch.save raises RuntimeError on a full disk.
        raise TrainingError(
            f"{file} could not be written: {error}. Make room and run again."
        ) from error
    finally:
        part.unlink(missing_ok=True)


def write_text(file: Path, text: str) -> None:
    """Write a text in UTF-8, as `write_atomically` does; raises what it raises."""
    write_atomically(file, lambda path: path.write_text(text, encoding="utf-8"))
