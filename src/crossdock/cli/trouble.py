"""What ends a command early: one sentence for the operator, no traceback, a non-zero exit."""


class Trouble(Exception):
    """The sentence, ending in a full stop, saying what is wrong and what to do."""
