"""``python -m training``: from a folder of class folders to the model that the page uses.

python -m training                      do all steps; UC Merced is downloaded if it isn't here
python -m training --data FOLDER        train on your own pictures, one folder per class
python -m training --project FILE       train on from a project that the Teach room saved: the
                                        network, not the last layer only; --from names the model
                                        to go on from
python -m training --resume             continue after Ctrl-C
python -m training train                do one step: fetch, train, evaluate, export, compress or
                                        report
python -m training study                measure what each augmentation brings, how well unknown
                                        scenes are recognised, and what other splits give
python -m training abroad               judge the finished model by sources that it never learned
                                        from, and fit the levels of its answers on them; --data
                                        names a folder of sources, --write changes the card
python -m training cards                write README.md and stac-item.json again for every model,
                                        from its card; needs no run
python -m training golden               write golden.json again for every model, after the built-in
                                        imagery has changed; needs no run
"""

import argparse
import sys
from pathlib import Path

from training import settings
from training.errors import TrainingError
from training.run import CHOSEN_FILE, FP32_FILE, SHIPPED_FILE
from training.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT.parent / "shared" / "data"
STEPS = (
    *("all", "fetch", "train", "evaluate", "export", "compress", "report"),
    *("study", "abroad", "cards", "golden"),
)


def main() -> int:
    """Do what the command line says; the exit status, 0 if all went well."""
    options = parse()
    try:
        chosen = settings.choose(options)
        if options.project:
            chosen = _begun(options, chosen)
        run = options.runs / chosen.name
        _work(options, chosen, run)
    except TrainingError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        saved = any(run.rglob("*.pt"))
        print("\nStopped. " + ("Continue with --resume." if saved else "Nothing was saved."))
        return 130
    return 0


def _begun(options: argparse.Namespace, chosen: Settings) -> Settings:
    """The settings of a run that goes on from a project, which it writes the beginning of.

    Raises
    ------
    TrainingError
        If the project can't be used, or the command line asks for something else too.
    """
    if options.data or options.without or options.step in ("study", "abroad", "cards", "golden"):
        raise TrainingError(
            "--project brings its own pictures: leave out --data and --without, and name a step "
            "from fetch to report, or none."
        )
    from training.steps.begin import begin

    return begin(
        options.project, options.go_on, chosen, bool(options.name), options.runs, options.models
    )


def _work(options: argparse.Namespace, chosen: Settings, run: Path) -> None:
    """Do the steps: each hands the path of its result to the next, or takes what is there."""
    # Importing torch takes seconds, so it waits until the command line is understood.
    from training.pictures.download import fetch
    from training.steps.abroad import abroad
    from training.steps.compress import compress
    from training.steps.evaluate import evaluate
    from training.steps.export import export
    from training.steps.final import finish
    from training.steps.publish import publish, write_goldens, write_readmes
    from training.steps.report import report
    from training.steps.study import study
    from training.steps.train import network_files, train

    def wanted(step: str) -> bool:
        return options.step in ("all", step)

    if options.step == "cards":
        write_readmes(options.models)
        return
    if options.step == "golden":
        write_goldens(options.models)
        return
    if options.step == "abroad":
        folder = options.data or SOURCES
        print(
            abroad(folder, run, options.models, chosen, options.write).read_text(encoding="utf-8")
        )
        return
    folder = options.project or fetch(options.data)
    if options.step == "fetch":
        print(folder)
        return
    settings.write(chosen, run)
    trained = network_files(run, chosen)
    best, fp32, shipped = run / CHOSEN_FILE, run / FP32_FILE, run / SHIPPED_FILE
    if wanted("train"):
        trained = train(folder, run, chosen, options.resume)
    if wanted("evaluate"):
        best = evaluate(trained, folder, run, chosen)
    if wanted("export"):
        fp32 = export(best, run)
    if wanted("compress"):
        shipped = compress(best, fp32, folder, run, chosen)
    if options.step == "study":
        print(study(folder, run, chosen))
    if wanted("report"):
        finish(shipped, fp32, trained, folder, run, chosen, options.again)
        print(f"The report is {report(folder, run, chosen)}.")
        print(f"The model is in {publish(shipped, run, options.models, chosen)}.")


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "step", nargs="?", choices=STEPS, default="all", help="the step to do; all by default"
    )
    parser.add_argument("--data", type=Path, help="folder with one folder of pictures per class")
    parser.add_argument("--project", type=Path, help="file of a project that the Teach room saved")
    parser.add_argument(
        "--from",
        dest="go_on",
        metavar="MODEL",
        help="with --project: the model whose network is trained on; by default one that looks at "
        "as much ground as the examples show",
    )
    parser.add_argument("--name", help="name of the run and of the model")
    parser.add_argument("--backbone", help="efficientnet_lite0, or a model of torchvision.models")
    parser.add_argument("--epochs", type=int, help="number of epochs, overriding the settings")
    parser.add_argument("--seeds", type=int, nargs="+", help="seeds, overriding the settings")
    parser.add_argument(
        "--without", help="leave this source out, for abroad to judge by; name the step compress"
    )
    parser.add_argument("--resume", action="store_true", help="continue from the checkpoints")
    parser.add_argument(
        "--again", action="store_true", help="open the test pictures for another file of this run"
    )
    parser.add_argument(
        "--write", action="store_true", help="with abroad: put the levels into the model's card"
    )
    parser.add_argument(
        "--settings", type=Path, help="a TOML file with all settings; by default a recipe of ours"
    )
    parser.add_argument("--runs", type=Path, default=ROOT / "runs", help="folder for runs")
    parser.add_argument("--models", type=Path, default=ROOT / "models", help="folder for models")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
