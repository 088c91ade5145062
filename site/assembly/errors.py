"""What can go wrong while the site is put together."""


class SetupError(Exception):
    """A sentence for the person at the command line: what happened and what to do."""
