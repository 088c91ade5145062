"""``python -m tests.bench``: speed and size, as ratios measured in one run."""
