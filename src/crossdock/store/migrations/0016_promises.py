"""By when each stream of a shop is due again. A shop that is connected already gets its first promise from now."""

from django.db import migrations, models

_PROMISE = """
UPDATE store_cursor SET due_by = greatest(due_at, now()) + interval '15 minutes' WHERE stream <> 'recount'
"""


class Migration(migrations.Migration):
    dependencies = [("store", "0015_parcels")]

    operations = [
        migrations.AddField("cursor", "due_by", models.DateTimeField(null=True)),
        migrations.AddIndex("cursor", models.Index(fields=["due_by"], name="cursor_due_by")),
        migrations.RunSQL(_PROMISE, migrations.RunSQL.noop),
    ]
