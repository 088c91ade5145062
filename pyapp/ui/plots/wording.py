"""What the page says about plots; plain text, without a screen."""

import numpy as np

from pyapp.core.ground.geo import MAX_LATITUDE
from pyapp.core.plots.run import PlotRun
from pyapp.core.state import CellState
from pyapp.ui.answer.wording import percent
from pyapp.ui.survey.wording import COUNTED, duration


def plots_said(count: int) -> str:
    """A number of plots.

    >>> plots_said(1), plots_said(1200)
    ('1 plot', '1,200 plots')
    """
    return "1 plot" if count == 1 else f"{count:,} plots"


def found_said(run: PlotRun) -> str:
    """What a file holds."""
    without = len(run.plots) - len(run.grid)
    said = f"{plots_said(len(run.plots))} in {run.name}."
    if run.plots.geometries and any(
        each is not None and each["type"] != "Point" for each in run.plots.geometries
    ):
        said += f" Of a polygon, the square of {run.side_m:.0f} m in its middle is classified."
    if without:
        rows = "1 row has" if without == 1 else f"{without:,} rows have"
        said += f" {rows} no usable coordinates and will have no answer."
    return said


def swapped_said(run: PlotRun) -> str:
    """That coordinates seem to be exchanged."""
    past_edge = bool((np.abs(run.plots.lat) > MAX_LATITUDE).any())
    why = "some lie past the edge of the map" if past_edge else "none lies in this imagery"
    return f"Latitude and longitude seem to be swapped: of the plots as they are, {why}."


def progress(run: PlotRun, goes_on: bool, rate: float) -> str:
    """How far plots are.

    Parameters
    ----------
    run : PlotRun
    goes_on : bool
        Whether they are at work.
    rate : float
        Plots per second; 0 if unknown.
    """
    count, left = len(run.grid), run.count(CellState.WAITING)
    if not count:
        return "No plot lies on the map."
    if not left:
        parts = [f"{plots_said(count)}, done"]
    else:
        parts = [f"{count - left:,} of {plots_said(count)}"]
        if goes_on and rate:
            parts += [f"{rate:.0f} per second", f"{duration(left / rate)} left"]
        elif not goes_on and left < count:
            parts.append("paused")
    for states, name in COUNTED:
        found = run.count(*states)
        if found:
            parts.append(f"{found:,} {name}")
    return ", ".join(parts)


def answer_said(run: PlotRun, row: int) -> tuple[str, str]:
    """The answer for a row and how sure it is, as the table shows them."""
    said = run.answer(row)
    if said.probability is None:
        return said.state, ""
    return said.label or f"not sure ({said.best})", percent(said.probability)
