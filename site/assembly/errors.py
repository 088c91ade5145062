"""What can go wrong while the site is built."""


class SetupError(Exception):
    """Says to the person at the command line what happened and what to do."""
