"""Two processes run the whole suite, each with about half of the work.

A file stays whole; what opens a browser is one process's but for surveys.
"""

import pytest

SECOND = ("tests/browser/test_survey", "tests/browser/test_labelled", "tests/browser/test_access")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        first = "tests/browser/" in item.nodeid and not item.nodeid.startswith(SECOND)
        item.add_marker(pytest.mark.xdist_group("first" if first else "second"))
