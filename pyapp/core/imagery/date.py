"""When imagery was taken: a day, a month or a year, or two with a slash between (ISO 8601)."""

import re
from datetime import date

_DAY = re.compile(r"(\d{4})[:-](\d\d)[:-](\d\d)")
_MONTH = re.compile(r"\d{4}(-(0[1-9]|1[0-2]))?")
# Nothing was photographed from the air before (Nadar, 1858).
FIRST_YEAR = 1858


def day_of(text: object) -> str:
    """The day in a time as TIFF, STAC or a web service writes it; empty if it has none.

    >>> day_of("2015:03:10 11:59:00"), day_of("2016-05-01T07:00:00Z"), day_of("0000:00:00 00:00:00")
    ('2015-03-10', '2016-05-01', '')
    """
    found = _DAY.match(text.strip()) if isinstance(text, str) else None
    if found is None or int(found[1]) < FIRST_YEAR:
        return ""
    try:
        return date(int(found[1]), int(found[2]), int(found[3])).isoformat()
    except ValueError:
        return ""


def time_of(text: str) -> str:
    """The day, month or year that the time of a map service stands for; empty if it is none.

    >>> time_of("2019"), time_of("2019-07-01T00:00:00Z"), time_of("current")
    ('2019', '2019-07-01', '')
    """
    found = text.strip()
    if _MONTH.fullmatch(found) and int(found[:4]) >= FIRST_YEAR:
        return found
    return day_of(found)


def days_of(first: object, last: object) -> str:
    """A day, or two with a slash between; empty if neither is known.

    >>> days_of("2024-09-06T00:00:00Z", "2024-09-08T10:00:00Z"), days_of(None, "2024-09-08")
    ('2024-09-06/2024-09-08', '2024-09-08')
    """
    days = [each for each in (day_of(first), day_of(last)) if each]
    return "/".join(sorted(set(days)))


def in_words(days: str) -> str:
    """A date as a person reads it.

    >>> in_words("2024-09-06/2024-09-08"), in_words("2012")
    ('2024-09-06 to 2024-09-08', '2012')
    """
    return days.replace("/", " to ")
