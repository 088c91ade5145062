"""What can be wrong with plots, each with the message that a person reads."""

from pyapp.core.errors import LookdownError, StoreError


class PlotError(LookdownError):
    """Plots can't be classified."""


class PlotFileError(PlotError):
    """A file holds no plots that can be classified."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"This file gives no plots to classify: {reason}. Save a table (CSV) with columns "
            "named lat and lon, or GeoJSON, both in degrees (WGS 84), and try again."
        )


class ManyPlotsError(PlotError):
    """A file holds more plots than there is room for."""

    def __init__(self, count: int, most: int) -> None:
        super().__init__(
            f"This file has {count:,} plots, and there is room for {most:,}. "
            "Split it into several files, and open one after the other."
        )


class PlotStoreError(StoreError):
    """Plots can't be kept on this device."""

    def __init__(self, reason: str) -> None:
        LookdownError.__init__(
            self,
            f"These plots are not kept: {reason}. They go on and can be saved as a file, "
            "but are lost when the page is reloaded.",
        )
