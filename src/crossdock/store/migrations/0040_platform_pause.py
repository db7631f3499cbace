"""A platform that is paused as a whole: what connects meanwhile is paused too."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# Shops that `crossdock platform --pause` paused before this table was there.
KNOWN = """
INSERT INTO store_platformpause (platform, why, at)
SELECT platform, max(substr(paused_by_staff, strpos(paused_by_staff, 'All shops of this platform are paused.'), 300)), now()
FROM store_connection WHERE paused_by_staff LIKE '%All shops of this platform are paused.%' GROUP BY platform
"""


class Migration(migrations.Migration):
    dependencies = [("store", "0039_audit_ends")]
    operations = [
        migrations.CreateModel(
            "PlatformPause",
            [
                ("platform", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("why", models.CharField(max_length=400)),
                ("at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.RunSQL(KNOWN, migrations.RunSQL.noop),
    ]
