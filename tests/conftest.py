"""Two processes run the suite; each takes the next file when it is done with one.

What takes longest comes first, so that both end at about the same time. Tests of training are one
file in this sense: they look at a run that is made once for each process, in minutes.
"""

import pytest

from tests.__main__ import name_chromium, noted_chromium

TRAINING, PROJECT = "tests/training/", "tests/training/test_project"
FIRST = (PROJECT, TRAINING, "tests/native/", "tests/browser/")


def pytest_configure() -> None:
    """Use the browser of the set-up, also if pytest is run by itself."""
    if noted_chromium():
        name_chromium()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: _place(item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Called if there are several processes."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            if nodeid.startswith(TRAINING) and not nodeid.startswith(PROJECT):
                return TRAINING
            return nodeid.split("::")[0]

    return ByFile(config, log)


def _place(name: str) -> int:
    return next((place for place, each in enumerate(FIRST) if name.startswith(each)), len(FIRST))
