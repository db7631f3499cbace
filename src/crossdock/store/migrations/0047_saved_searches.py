"""Searches that buyers saved."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import crossdock.store.ids


class Migration(migrations.Migration):
    dependencies = [("store", "0046_withdrawals")]
    operations = [
        migrations.CreateModel(
            "SavedSearch",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.CharField(default=crossdock.store.ids.public_id, max_length=14)),
                ("name", models.CharField(max_length=100)),
                ("address", models.CharField(max_length=1000)),
                ("wanted", models.JSONField()),
                ("mail", models.BooleanField(default=True)),
                ("after", models.BigIntegerField(default=0)),
                ("looked_at", models.DateTimeField()),
                ("created_at", models.DateTimeField()),
                (
                    "buyer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="saved_searches",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "seller",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="store.seller"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("buyer", "address"), name="one_search_per_address"),
                    models.UniqueConstraint(fields=("public_id",), name="one_search_per_public_id"),
                ],
                "indexes": [
                    models.Index(fields=["buyer", "-id"], name="search_of_buyer"),
                    models.Index(condition=models.Q(mail=True), fields=["looked_at", "id"], name="search_due"),
                ],
            },
        )
    ]
