"""When what was accepted has to be sent; a return that was not is closed."""

from datetime import timedelta
from typing import Any

from django.db import migrations, models
from django.utils import timezone


def _send_by(apps: Any, schema_editor: Any) -> None:
    """Returns that were accepted before have all the days from now on: no mail has named their buyers a date."""
    rows = apps.get_model("store", "Return").objects.filter(state="accepted", binding=False, sent_at=None, due_at=None)
    rows.update(due_at=timezone.now() + timedelta(days=30))


class Migration(migrations.Migration):
    dependencies = [("store", "0068_pages")]
    operations = [
        migrations.AlterField(
            "return",
            "state",
            models.CharField(
                choices=[
                    ("asked", "asked"),
                    ("accepted", "accepted"),
                    ("declined", "declined"),
                    ("taken_back", "taken_back"),
                    ("received", "received"),
                    ("refunded", "refunded"),
                    ("lapsed", "lapsed"),
                ],
                max_length=10,
            ),
        ),
        migrations.RunPython(_send_by, migrations.RunPython.noop),
    ]
