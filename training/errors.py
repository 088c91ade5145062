"""The error of training: one sentence for the person at the command line."""


class TrainingError(Exception):
    """Something that the person can put right; the message says what happened and what to do."""
