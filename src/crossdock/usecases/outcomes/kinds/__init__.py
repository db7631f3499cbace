"""Every kind of command: a module of its own, of the enum's name, with KIND in it. To add one: a line in
`domain/commands.py`, a module here, and the function that sends it in the engine.
"""

from importlib import import_module
from typing import Any

from crossdock.domain.commands import CommandKind
from crossdock.store.models import Command
from crossdock.usecases.outcomes.kinds.kind import Kind

KINDS: dict[str, Kind[Any]] = {kind: import_module(f"{__name__}.{kind}").KIND for kind in CommandKind}


def kind_of(row: Command) -> Kind[Any] | None:
    """None for a row of another version that knew more."""
    return KINDS.get(row.kind)
