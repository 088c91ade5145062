"""What can go wrong when two surveys are compared."""

from __future__ import annotations

from pyapp.core.errors import LookdownError


class ChangeError(LookdownError):
    """What changed can't be told."""


class OtherGridError(ChangeError):
    """The squares of the two surveys are not the same."""

    def __init__(self, before: str, after: str) -> None:
        super().__init__(
            f"{before} and {after} have different squares, so only their hectares can be compared. "
            "Survey the same squares on the other imagery to see what changed."
        )


class OtherModelError(ChangeError):
    """Two models, or one that is not in use."""

    def __init__(self, wanted: str) -> None:
        super().__init__(
            f"Both dates have to be seen by one model, here {wanted}: another one answers "
            "differently without any change on the ground. Choose that model under This device, "
            "or survey both dates with the one in use."
        )


class NoLabelSetsError(ChangeError):
    """The model's card doesn't say how sure is sure enough."""

    def __init__(self, title: str) -> None:
        super().__init__(
            f"{title} has no label sets, so nobody knows how often it is wrong about a change. "
            "Choose a model with them, such as the one that the page begins with."
        )


class SameImageryError(ChangeError):
    """Both surveys are of the same pictures."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"Both surveys are made on {name}, so nothing can have changed. "
            "Choose a survey on imagery of another date, or other imagery."
        )


class GoneImageryError(ChangeError):
    """The imagery of a survey is not among those that can be chosen."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} is not in the list of imagery any more, and both dates have to be looked at "
            "again. Open it once more under Imagery, then compare."
        )


class UnfinishedError(ChangeError):
    """A survey has squares that wait."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not finished. Resume it, and compare when it is done.")


class ApartError(ChangeError):
    """The pictures lie too far apart for the same square to show the same ground."""

    def __init__(self, apart_m: float, most_m: float) -> None:
        super().__init__(
            f"The two pictures lie {apart_m:.0f} m apart, and more than {most_m:.0f} m can't be "
            "corrected. Place one of them anew, or choose other imagery."
        )


class NothingInCommonError(ChangeError):
    """No square has an answer on both dates."""

    def __init__(self) -> None:
        super().__init__(
            "No square has an answer on both dates, so nothing can be compared. "
            "Choose imagery that covers the same ground."
        )
