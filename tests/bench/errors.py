"""Why something was not measured, for the person at the command line."""


class BusyError(Exception):
    """Other processes keep the machine busy; the message is a sentence that says so."""


class RevisionError(Exception):
    """A revision can't be compared; the message is a sentence that says why."""
