"""Single steps of the migrations, taken back and made again on today's tables.

To go all the way back to an old step and forward again makes every model anew for each of the steps in between: ten
seconds of the processor each way, for steps that have nothing to do with the one in question.
"""

from django.db import connection
from django.db.migrations.loader import MigrationLoader


def back(*names: str) -> None:
    """Undo these steps of the store, the newest first."""
    for name in names:
        _take(name, undo=True)


def forward(*names: str) -> None:
    """Make these steps of the store again, the oldest first."""
    for name in names:
        _take(name, undo=False)


def _take(name: str, *, undo: bool) -> None:
    loader = MigrationLoader(connection)
    migration = loader.get_migration("store", name)
    before = loader.project_state(("store", name), at_end=False)
    with connection.schema_editor(atomic=migration.atomic) as editor:
        (migration.unapply if undo else migration.apply)(before, editor)
