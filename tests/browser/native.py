"""The way of one square without a browser: what the page is compared with."""

import numpy as np

from pyapp.core.model.prediction import predictions
from training.golden import native_chip

__all__ = ["native_answer", "native_chip"]


def native_answer(card, session, chip):
    """What native onnxruntime says of a chip, uint8 [S, S, 3]."""
    names = [output.name for output in session.get_outputs()]
    values = session.run(None, {"image": chip[np.newaxis]})
    return predictions(card, dict(zip(names, values, strict=True)))[0]
