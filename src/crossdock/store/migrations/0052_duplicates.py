"""Goods that stand in several of a seller's shops. Each statement stands alone, and nobody waits for a table."""

import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import LPad

_BARE = Func(F("barcode"), Value("[^0-9]"), Value(""), Value("g"), function="REGEXP_REPLACE")
_INDEXES = {
    "variantstock": models.Index(fields=["sold_as"], name="stock_sold_as", condition=Q(sold_as__isnull=False)),
    "variant": models.Index(LPad(_BARE, 14, Value("0")), name="variant_gtin", condition=~Q(barcode="")),
}


def _added(column: str, field: models.Field) -> migrations.RunSQL:
    name = "sold_as" if column == "sold_as_id" else column
    return migrations.RunSQL(
        f"ALTER TABLE store_variantstock ADD COLUMN IF NOT EXISTS {column} bigint NULL",
        f"ALTER TABLE store_variantstock DROP COLUMN IF EXISTS {column}",
        state_operations=[migrations.AddField("variantstock", name, field)],
    )


def _indexed(model: str, index: models.Index) -> list[migrations.operations.base.Operation]:
    # One that was broken off leaves an index that is never used, under the same name.
    return [
        migrations.RunSQL(f"DROP INDEX CONCURRENTLY IF EXISTS {index.name}", migrations.RunSQL.noop),
        AddIndexConcurrently(model, index),
    ]


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("store", "0051_parcels_heard_of"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        _added("told_count", models.BigIntegerField(null=True)),
        _added(
            "sold_as_id",
            models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="sells_for",
                to="store.variant",
            ),
        ),
        *(step for model, index in _INDEXES.items() for step in _indexed(model, index)),
        migrations.CreateModel(
            name="Duplicate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=[("sku", "sku"), ("barcode", "barcode")], max_length=10)),
                ("key", models.CharField(max_length=200)),
                (
                    "verdict",
                    models.CharField(
                        blank=True,
                        choices=[("", ""), ("same", "same"), ("different", "different")],
                        max_length=10,
                    ),
                ),
                ("left_out", models.JSONField(default=list)),
                ("found_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(null=True)),
                (
                    "decided_by",
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
                        on_delete=django.db.models.deletion.CASCADE, related_name="duplicates", to="store.seller"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["seller", "verdict", "-id"], name="duplicate_by_verdict")],
                "constraints": [
                    models.UniqueConstraint(fields=("seller", "kind", "key"), name="one_duplicate_per_name")
                ],
            },
        ),
    ]
