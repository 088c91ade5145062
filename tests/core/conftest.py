"""Hypothesis tries the same examples in every run, however long one takes."""

from hypothesis import settings

settings.register_profile("core", derandomize=True, deadline=None, max_examples=100)
settings.load_profile("core")
