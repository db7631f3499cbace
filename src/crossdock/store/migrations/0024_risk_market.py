"""The latest sales of the whole marketplace are found by an index: a new order is judged against what is usual here."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0023_pages")]

    operations = [
        migrations.AddIndex(
            "risktrace",
            models.Index(fields=["currency", "-at"], name="trace_market", condition=models.Q(paid=True)),
        )
    ]
