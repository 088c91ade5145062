"""What the page says about the device; plain text, without a screen."""

from pyapp.core.model.backend import Backend
from pyapp.work.runner import Runner

AUTOMATIC = "Fastest correct backend that leaves a core free for the page"
# What takes room on the device, part by part of a release.
PARTS = {
    "python": "Page, Python and map",
    "packages": "Its packages",
    "answer": "Model and its runtime",
    "rest": "Imagery and the rest",
    "extra": "GPU runtime, other models",
}


def backend_note(runner: Runner, backend: Backend) -> str:
    """What was measured of a backend."""
    trials = {trial.backend: trial for trial in runner.record.trials}
    trial = trials.get(backend)
    if backend in runner.gave_up:
        return "Gave up during this visit"
    if trial is None:
        return "Not measured"
    if not trial.right:
        return "Wrong or no answers"
    core = "" if runner.device.leaves_a_core(backend) else ", no core left for the page"
    return f"{trial.time_ms:.0f} ms per square{core}"
