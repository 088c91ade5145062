"""Two processes run the whole suite: the browsers' tests in one, all else in the other."""

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        group = "browser" if "tests/browser/" in item.nodeid else "native"
        item.add_marker(pytest.mark.xdist_group(group))
