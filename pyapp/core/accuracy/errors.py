"""What can go wrong when a check is drawn, or taught from."""

from __future__ import annotations

from pyapp.core.errors import CheckError


class AllLearnedError(CheckError):
    """A taught model learned from every square of a survey that has an answer."""

    def __init__(self) -> None:
        super().__init__(
            "The model learned from every square of this survey, so none is left that can check "
            "it. Survey more ground, and check that."
        )


class TeachFromError(CheckError):
    """The judgements of a check can't be taught from."""


class NothingToldError(TeachFromError):
    """The person could not tell of any square."""

    def __init__(self) -> None:
        super().__init__(
            "Of no square of this check could you tell what it is, so there is nothing to teach "
            "from. Judge some that you can tell first."
        )


class OneClassError(TeachFromError):
    """All judged squares are of one class."""

    def __init__(self, label: str) -> None:
        super().__init__(
            f"All squares to teach from are “{label}”, and it takes two classes to tell apart. "
            "Judge more squares first."
        )


class AllTaughtError(TeachFromError):
    """A project has all judged squares already."""

    def __init__(self, project: str) -> None:
        super().__init__(
            f"The project {project} has all of these squares as examples already. Judge more "
            "squares, or begin a new project with these."
        )


class FewJudgedError(TeachFromError):
    """Too few squares are judged to learn from some and keep others aside."""

    def __init__(self, there: int, needed: int) -> None:
        squares = "1 square" if there == 1 else f"{there} squares"
        super().__init__(
            f"There {'is' if there == 1 else 'are'} {squares} to teach from, and it takes "
            f"{needed}: some to learn from, and a part to keep aside. Judge more squares first."
        )


class MixedLevelsError(TeachFromError):
    """A project has a class that is in a group which was judged, or the other way around."""

    def __init__(self, project: str, label: str, judged: str) -> None:
        super().__init__(
            f"“{label}” of the project {project} and “{judged}” of these judgements overlap, so "
            "the two can't be told apart in one project. Begin a new project with these squares."
        )


class OtherSideError(TeachFromError):
    """The model in use looks at squares of another size than the survey's."""

    def __init__(self, survey_m: float, title: str, model_m: float, other: str) -> None:
        super().__init__(
            f"The squares of this survey are {survey_m:.0f} m wide, and the model in use, {title}, "
            f"looks at {model_m:.0f} m. Choose the survey's model, {other}, to teach from them."
        )


class NoSquareReadError(TeachFromError):
    """No square of a check could be read as a picture."""

    def __init__(self, imagery: str) -> None:
        super().__init__(
            f"None of these squares is in {imagery} any more, so there are no pictures to learn "
            "from. Nothing was changed; choose imagery that shows them."
        )
