"""When what was accepted has to be sent; a return that was not is closed."""

from datetime import timedelta
from typing import Any

from django.db import migrations, models


def _send_by(apps: Any, schema_editor: Any) -> None:
    """Of returns that were accepted before: the days that they had until now."""
    rows = apps.get_model("store", "Return").objects.filter(state="accepted", binding=False, sent_at=None, due_at=None)
    rows.exclude(answered_at=None).update(due_at=models.F("answered_at") + timedelta(days=30))


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
