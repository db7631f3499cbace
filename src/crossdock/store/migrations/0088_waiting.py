"""The listings that wait for room are found at once. The index is made beside sales that go on."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("store", "0087_quotas")]
    operations = [
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS listing_waiting", migrations.RunSQL.noop),
        AddIndexConcurrently(
            "listing",
            models.Index(condition=models.Q(("state", "waiting")), fields=["seller", "id"], name="listing_waiting"),
        ),
    ]
