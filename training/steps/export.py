"""Export the chosen network as the fp32 graph that variants are made of."""

from pathlib import Path

from training.networks import stored
from training.networks.onnx_file import to_onnx
from training.run import FP32_FILE
from training.steps import evaluate


def export(chosen: Path, run: Path) -> Path:
    """Write the weights that `evaluate` chose as an fp32 graph, with the temperature inside.

    Parameters
    ----------
    chosen : Path
        The weights.
    run : Path
        Where ``evaluation.json`` is, and where the graph goes.

    Returns
    -------
    Path
        The graph.

    Raises
    ------
    TrainingError
        If the weights can't be read, or the graph can't be written.
    """
    trained = stored.load(chosen)
    temperature = evaluate.read(run)["temperature"]
    return to_onnx(trained.network, temperature, trained.chip_px, run / FP32_FILE)
