"""Two processes run the suite, each about half of the work.

All tests of a file run in the same process. One process runs the tests with a browser, except
those of surveys.
"""

import pytest

from tests.__main__ import name_chromium, noted_chromium

SECOND = ("tests/browser/test_survey", "tests/browser/test_labelled", "tests/browser/test_access")


def pytest_configure() -> None:
    """Use the browser of the set-up, also if pytest is run by itself."""
    if noted_chromium():
        name_chromium()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        first = "tests/browser/" in item.nodeid and not item.nodeid.startswith(SECOND)
        item.add_marker(pytest.mark.xdist_group("first" if first else "second"))
