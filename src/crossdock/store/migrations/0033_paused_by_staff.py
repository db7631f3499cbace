from django.db import migrations, models

KNOWN = """
UPDATE store_connection SET paused_by_staff = state_sentence
WHERE state = 'paused' AND state_sentence LIKE 'Paused by the marketplace:%'
"""


class Migration(migrations.Migration):
    dependencies = [("store", "0032_audit_chain")]
    operations = [
        migrations.AddField("connection", "paused_by_staff", models.TextField(blank=True, default="", db_default="")),
        migrations.RunSQL(KNOWN, migrations.RunSQL.noop),
    ]
