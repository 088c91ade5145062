"""What a person who trains can do wrong, each with a sentence that says what to do."""


class TrainingError(Exception):
    """A message for the person at the command line."""
