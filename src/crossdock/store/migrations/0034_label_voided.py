"""Which labels were voided lately is asked every quarter of an hour."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0033_paused_by_staff")]
    operations = [
        migrations.AddIndex(
            "label",
            models.Index(fields=["voided_at"], name="label_voided", condition=models.Q(voided_at__isnull=False)),
        ),
    ]
