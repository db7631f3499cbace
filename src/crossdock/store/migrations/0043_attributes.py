"""Attributes and categories: definitions, sellers' rules, and what is known of each listing and variant."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def facts():
    return django.contrib.postgres.fields.ArrayField(
        base_field=models.TextField(), db_default=[], default=list, size=None
    )


def key():
    return ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"))


class Migration(migrations.Migration):
    dependencies = [("store", "0042_cancel_requests")]
    operations = [
        migrations.AddField("listing", "said", models.JSONField(db_default={}, default=dict)),
        migrations.AddField("listing", "by_hand", models.JSONField(db_default={}, default=dict)),
        migrations.AddField("listing", "facts", facts()),
        migrations.AddField("variant", "options", models.JSONField(db_default=[], default=list)),
        migrations.AddField("variant", "facts", facts()),
        migrations.CreateModel(
            "Taxonomy",
            [
                key(),
                ("document", models.JSONField()),
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
            ],
        ),
        migrations.CreateModel(
            "FillRule",
            [
                key(),
                ("source", models.CharField(max_length=10)),
                ("name", models.CharField(blank=True, max_length=100)),
                ("word", models.CharField(blank=True, max_length=200)),
                ("attribute", models.CharField(max_length=60)),
                ("value", models.CharField(blank=True, max_length=120)),
                (
                    "seller",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="fill_rules", to="store.seller"
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("seller", "source", "name", "word", "attribute", "value"), name="one_of_each_fill_rule"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            "Refill",
            [
                key(),
                ("after", models.BigIntegerField(default=0)),
                (
                    "seller",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="refill",
                        to="store.seller",
                    ),
                ),
            ],
        ),
    ]
