"""What a scene is: it plays on one stage and says what it saw."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from crossdock.domain.capability import Capability
from crossdock_lab.stage import Stage

Scene = Callable[[Stage], None]


def refusal(deed: Callable[..., object], *given: Any, **named: Any) -> str:
    """The sentence with which it is refused; "" when it was not."""
    from crossdock.usecases.errors import Problem

    try:
        deed(*given, **named)
    except Problem as problem:
        return str(problem)
    return ""


def needs(*capabilities: Capability) -> Callable[[Scene], Scene]:
    """Played where the platform can, by its own manifest."""

    def marked(scene: Scene) -> Scene:
        @wraps(scene)
        def played(stage: Stage) -> None:
            if all(map(stage.manifest.can, capabilities)):
                scene(stage)

        return played

    return marked
