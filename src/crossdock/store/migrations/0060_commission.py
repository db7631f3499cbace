"""Commission by category and promotion, and on each line what was kept of it. Lines of before say nothing."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import crossdock.store.ids


class Migration(migrations.Migration):
    dependencies = [("store", "0059_away")]

    operations = [
        migrations.AddField("orderline", "fee_minor", models.BigIntegerField(null=True)),
        migrations.AddField("orderline", "fee_points", models.PositiveSmallIntegerField(null=True)),
        migrations.AddField(
            "orderline", "fee_why", models.CharField(blank=True, db_default="", default="", max_length=160)
        ),
        migrations.CreateModel(
            name="CommissionRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.CharField(default=crossdock.store.ids.public_id, max_length=14)),
                ("category", models.CharField(blank=True, max_length=60)),
                ("basis_points", models.PositiveSmallIntegerField()),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField(null=True)),
                ("why", models.CharField(max_length=300)),
                ("made_at", models.DateTimeField()),
                (
                    "made_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "seller",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="commission_rules",
                        to="store.seller",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("public_id",), name="one_commission_per_public_id"),
                    models.CheckConstraint(
                        condition=models.Q(("until", None), ("until__gte", models.F("since")), _connector="OR"),
                        name="commission_ends_after_it_begins",
                    ),
                ],
            },
        ),
    ]
