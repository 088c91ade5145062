"""``python -m training``: from a folder of class folders to the model that the page uses.

python -m training                      all steps below; UC Merced is fetched where it isn't here
python -m training --data FOLDER        on your own images, a folder for each class
python -m training --resume             go on after Ctrl-C
python -m training train                one step: fetch, train, evaluate, export, compress, report
python -m training study                what each augmentation brings, scenes left out, other splits
"""

import argparse
import sys
from pathlib import Path

from training import settings
from training.errors import TrainingError

ROOT = Path(__file__).resolve().parent.parent
STEPS = ("all", "fetch", "train", "evaluate", "export", "compress", "report", "study")


def main() -> int:
    """Do what the command line says; 0 when all went well."""
    options = parse()
    try:
        chosen = settings.choose(options)
        run = options.runs / chosen.name
        _work(options, chosen, run)
    except TrainingError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        kept = any(run.rglob("*.pt"))
        print("\nStopped. " + ("Go on with --resume." if kept else "Nothing was kept."))
        return 130
    return 0


def _work(options: argparse.Namespace, chosen, run: Path) -> None:
    """Each step hands the path of what it made to the next; alone, it takes what is there."""
    # torch takes seconds to import: not before the command line is understood.
    from training.compress import SHIPPED, compress
    from training.download import fetch
    from training.evaluate import CHOSEN, evaluate
    from training.export import FP32, export
    from training.final import finish
    from training.publish import publish
    from training.report import report
    from training.study import study
    from training.train import files, train

    def wanted(step: str) -> bool:
        return options.step in ("all", step)

    data = fetch(options.data)
    if options.step == "fetch":
        print(data)
        return
    settings.write(chosen, run)
    trained = files(run, chosen)
    best, fp32, shipped = run / CHOSEN, run / FP32, run / SHIPPED
    if wanted("train"):
        trained = train(data, run, chosen, options.resume)
    if wanted("evaluate"):
        best = evaluate(trained, data, run, chosen)
    if wanted("export"):
        fp32 = export(best, run)
    if wanted("compress"):
        shipped = compress(best, fp32, data, run, chosen)
    if options.step == "study":
        print(study(data, run, chosen))
    if wanted("report"):
        finish(shipped, fp32, trained, data, run, chosen, options.again)
        print(f"The report is {report(data, run, chosen)}.")
        print(f"The model is in {publish(shipped, run, options.models, chosen)}.")


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("step", nargs="?", choices=STEPS, default="all")
    parser.add_argument("--data", type=Path, help="folder of class folders")
    parser.add_argument("--name", help="name of the run and of the model")
    parser.add_argument("--backbone", help="efficientnet_lite0, or one of torchvision.models")
    parser.add_argument("--epochs", type=int, help="instead of what the settings say")
    parser.add_argument("--seeds", type=int, nargs="+", help="instead of what the settings say")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoints")
    parser.add_argument("--again", action="store_true", help="open the test pictures once more")
    parser.add_argument("--settings", type=Path, default=settings.DEFAULT, help="a TOML file")
    parser.add_argument("--runs", type=Path, default=ROOT / "runs", help="where runs are kept")
    parser.add_argument("--models", type=Path, default=ROOT / "models", help="where models go")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
