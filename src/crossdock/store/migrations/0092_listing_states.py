"""A listing may wait for room; nothing changes in the database."""

from django.db import migrations, models

STATES = [
    ("live", "Live"),
    ("left_out", "Left Out"),
    ("archived", "Archived"),
    ("taken_down", "Taken Down"),
    ("waiting", "Waiting"),
]


class Migration(migrations.Migration):
    dependencies = [("store", "0091_audit_sending")]
    operations = [
        migrations.AlterField("listing", "state", models.CharField(choices=STATES, default="live", max_length=10)),
        migrations.AlterField(
            "listingreview", "listing_state", models.CharField(blank=True, choices=STATES, max_length=10)
        ),
    ]
