"""Where the device is: what can go wrong, and how it is said."""

import math

from pyapp.core.errors import LookdownError


class WhereaboutsError(LookdownError):
    """The device does not say where it is."""


class NotAllowedError(WhereaboutsError):
    """The person, or the device, does not allow it."""

    def __init__(self) -> None:
        super().__init__(
            "The browser may not tell this page where you are. Allow the location for this site "
            "in the browser's settings, and on the device, and press the button again."
        )


class UnknownPlaceError(WhereaboutsError):
    """The device can't find out."""

    def __init__(self) -> None:
        super().__init__(
            "This device can't find out where it is. Switch on its location, go where there is "
            "sky above, and press the button again."
        )


class SlowPlaceError(WhereaboutsError):
    """It takes too long."""

    def __init__(self, limit_s: float) -> None:
        super().__init__(
            f"This device did not find out where it is within {limit_s:g} seconds. "
            "Go where there is sky above, and press the button again."
        )


def whereabouts_error(code: int, limit_s: float) -> WhereaboutsError:
    """The error with a code of the Geolocation API (W3C, section 6.5).

    >>> type(whereabouts_error(1, 20)).__name__
    'NotAllowedError'
    """
    if code == 1:
        return NotAllowedError()
    return SlowPlaceError(limit_s) if code == 3 else UnknownPlaceError()


def accuracy_said(accuracy_m: float) -> str:
    """How exactly a place is known.

    >>> accuracy_said(4.2), accuracy_said(81.0), accuracy_said(2400.0)
    ('You are within 5 m of here', 'You are within 90 m of here', 'You are within 2.4 km of here')
    """
    if accuracy_m >= 1000:
        return f"You are within {math.ceil(accuracy_m / 100) / 10:.1f} km of here"
    # Rounded up: it promises no more than the device does.
    step_m = 1 if accuracy_m < 20 else 10
    return f"You are within {max(1, math.ceil(accuracy_m / step_m) * step_m)} m of here"
