"""``lookdown report``: a saved survey as one file to read and print, or as JSON."""

from __future__ import annotations

import contextlib
from datetime import datetime
from importlib import metadata
from pathlib import Path

from pyapp.core.accuracy.check import Check
from pyapp.core.accuracy.findings import find
from pyapp.core.imagery.source import Source
from pyapp.core.report.contents import gather, to_json
from pyapp.core.survey.survey import Survey
from pyapp.native.disk import write_whole
from pyapp.native.errors import ThereAlreadyError, UnknownFormatError
from pyapp.native.setup import Native
from pyapp.work.report import Reporter

HTML, JSON = ".html", ".json"


async def write_report(
    native: Native, survey: Survey, source: Source | None, out: Path, overwrite: bool
) -> None:
    """Write a report.

    Parameters
    ----------
    native : Native
    survey : Survey
        With its check, if it has one.
    source : Source or None
        Its imagery; without it there are no pictures.
    out : Path
        Its ending names the format.
    overwrite : bool
        Whether a file that is there may be replaced.

    Raises
    ------
    UnknownFormatError, ThereAlreadyError, NotWrittenError, DamagedCheckError
    """
    if out.suffix.lower() not in (HTML, JSON):
        raise UnknownFormatError(out, [HTML, JSON])
    if out.exists() and not overwrite:
        raise ThereAlreadyError(out)
    check = Check.from_json(survey.check, survey) if survey.check else None
    found = None if check is None else find(check, survey)
    made, version = datetime.now().isoformat(timespec="seconds"), _version()
    if out.suffix.lower() == JSON:
        text = to_json(gather(survey, check, found, made, version))
    else:
        reporter = Reporter(survey, source, native.ground)
        await reporter.read(check)
        text = reporter.write(check, found, made, version)
    write_whole(out, text.encode())


def _version() -> str:
    with contextlib.suppress(metadata.PackageNotFoundError):
        return metadata.version("lookdown")
    # In a clone nothing is installed.
    return "in a clone"
