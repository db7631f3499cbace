"""What a seller sells of a shop, by rules."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0085_bulk_runs")]
    operations = [
        migrations.AddField(
            "listing", "not_chosen", models.CharField(blank=True, db_default="", default="", max_length=300)
        ),
        migrations.CreateModel(
            name="Selling",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("choice", models.JSONField(db_default={}, default=dict)),
                ("draft", models.JSONField(null=True)),
                ("revision", models.PositiveIntegerField(db_default=0, default=0)),
                ("after", models.BigIntegerField(null=True)),
                ("changed_at", models.DateTimeField(null=True)),
                (
                    "connection",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="selling", to="store.connection"
                    ),
                ),
            ],
        ),
    ]
