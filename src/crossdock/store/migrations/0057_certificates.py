"""Units by their certificate are found over an index of these alone. Nobody waits for the table."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations
from django.db.models import Q

_INDEX = GinIndex(fields=["facts"], name="variant_certificate", condition=Q(facts__contains=["certificate"]))


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("store", "0056_said_of_each")]
    operations = [
        # One that was broken off leaves an index that is never used, under the same name.
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS variant_certificate", migrations.RunSQL.noop),
        AddIndexConcurrently("variant", _INDEX),
    ]
