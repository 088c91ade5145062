"""``python -m tests.bench``: speed and weight, as ratios measured in one run."""
