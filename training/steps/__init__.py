"""The steps of a run, each a function from paths to a path."""
