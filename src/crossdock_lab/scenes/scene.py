"""What a scene is: it plays on one stage and says what it saw."""

from collections.abc import Callable

from crossdock_lab.stage import Stage

Scene = Callable[[Stage], None]
