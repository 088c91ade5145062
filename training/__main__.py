"""``python -m training``: from a folder of class folders to the model that the page uses.

python -m training                      train, then publish to models/
python -m training --data FOLDER        on your own images, a folder for each class
python -m training train --resume       go on after Ctrl-C
python -m training publish              calibrate, export and measure a finished run again
"""

import argparse
import shutil
import sys
from pathlib import Path

from training import settings
from training.errors import TrainingError
from training.publish import publish
from training.train import CHECKPOINT, train

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared" / "data" / "ucmerced"
STEPS = ("all", "train", "publish")


def main() -> int:
    """Do what the command line says; 0 when all went well."""
    options = parse()
    try:
        chosen = settings.read(options.settings)
        chosen.name = options.name or chosen.name
        if options.epochs:
            chosen.train.epochs = options.epochs
        if options.name and options.settings == settings.DEFAULT:
            chosen.title = options.name
        run = options.runs / chosen.name
        if options.step in ("all", "train"):
            run.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(options.settings, run / settings.COPY)
            train(options.data, run, chosen, options.resume)
        if options.step in ("all", "publish"):
            place = publish(run, options.data, options.models, chosen)
            print(f"The model is in {place}.")
    except TrainingError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        kept = (run / CHECKPOINT).exists()
        print("Stopped. " + ("Go on with --resume." if kept else "Nothing was kept."))
        return 130
    return 0


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m training", description="Train a model.")
    parser.add_argument("step", nargs="?", choices=STEPS, default="all")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of class folders")
    parser.add_argument("--name", help="name of the run and of the model")
    parser.add_argument("--epochs", type=int, help="instead of what the settings say")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint")
    parser.add_argument("--settings", type=Path, default=settings.DEFAULT, help="a TOML file")
    parser.add_argument("--runs", type=Path, default=ROOT / "runs", help="where runs are kept")
    parser.add_argument("--models", type=Path, default=ROOT / "models", help="where models go")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
