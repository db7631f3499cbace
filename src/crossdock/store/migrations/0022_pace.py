"""When something last happened in a shop, and how long it took until it was known here."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("store", "0021_fulfilments")]

    operations = [
        migrations.AddField("connection", "active_at", models.DateTimeField(null=True)),
        migrations.AddField("cursor", "newest_at", models.DateTimeField(null=True)),
        migrations.AddIndex(
            "shopcopy",
            models.Index(fields=["connection", "equal_at"], condition=Q(equal_at__isnull=False), name="copy_equal"),
        ),
        migrations.CreateModel(
            "NewsLag",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("milliseconds", models.BigIntegerField()),
                (
                    "connection",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="store.connection"),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["connection", "at"], name="lag_of_shop"),
                    models.Index(fields=["at"], name="lag_age"),
                ]
            },
        ),
    ]
