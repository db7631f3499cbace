"""Why a use-case did not happen; the message is a sentence for the person who asked."""


class Problem(Exception):
    """Base. Nothing was changed."""


class Invalid(Problem):
    """What was asked makes no sense (any more)."""


class NotAllowed(Problem):
    """This person, or this state of things, does not permit it."""


class Stale(Problem):
    """The world moved since the page was shown: look again and decide again."""
