"""What buyers send back."""

import crossdock.store.ids
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0052_duplicates"),
    ]

    operations = [
        migrations.CreateModel(
            name="Return",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.CharField(default=crossdock.store.ids.public_id, max_length=14)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("asked", "asked"),
                            ("accepted", "accepted"),
                            ("declined", "declined"),
                            ("taken_back", "taken_back"),
                            ("received", "received"),
                            ("refunded", "refunded"),
                        ],
                        max_length=10,
                    ),
                ),
                ("binding", models.BooleanField(default=False)),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("damaged", "damaged"),
                            ("wrong", "wrong"),
                            ("not_as_described", "not_as_described"),
                            ("not_wanted", "not_wanted"),
                            ("other", "other"),
                            ("withdrawn", "withdrawn"),
                        ],
                        max_length=20,
                    ),
                ),
                ("words", models.TextField(blank=True)),
                ("answer", models.TextField(blank=True)),
                ("send_to", models.TextField(blank=True)),
                (
                    "payer",
                    models.CharField(blank=True, choices=[("buyer", "buyer"), ("seller", "seller")], max_length=6),
                ),
                ("label", models.CharField(blank=True, max_length=500)),
                ("carrier", models.CharField(blank=True, max_length=80)),
                ("tracking_number", models.CharField(blank=True, max_length=200)),
                ("kept_minor", models.BigIntegerField(default=0)),
                ("kept_why", models.CharField(blank=True, max_length=300)),
                ("asked_at", models.DateTimeField()),
                ("due_at", models.DateTimeField(null=True)),
                ("late_at", models.DateTimeField(null=True)),
                ("answered_at", models.DateTimeField(null=True)),
                ("sent_at", models.DateTimeField(null=True)),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "closed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "credit",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="returned",
                        to="store.credit",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="returns", to="store.order"
                    ),
                ),
                (
                    "seller",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="store.seller"),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ReturnLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("units", models.PositiveIntegerField()),
                ("received", models.PositiveIntegerField(null=True)),
                (
                    "condition",
                    models.CharField(
                        blank=True,
                        choices=[("as_sent", "as_sent"), ("used", "used"), ("damaged", "damaged")],
                        max_length=10,
                    ),
                ),
                (
                    "fate",
                    models.CharField(
                        blank=True,
                        choices=[("restock", "restock"), ("aside", "aside"), ("in_shop", "in_shop")],
                        max_length=10,
                    ),
                ),
                (
                    "line",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="returned", to="store.orderline"
                    ),
                ),
                (
                    "row",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="lines", to="store.return"
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.AddIndex(
            model_name="return",
            index=models.Index(fields=["seller", "state", "id"], name="return_of_seller"),
        ),
        migrations.AddIndex(
            model_name="return",
            index=models.Index(
                condition=models.Q(("late_at", None), ("state__in", ["asked", "accepted"])),
                fields=["due_at"],
                name="return_due",
            ),
        ),
        migrations.AddConstraint(
            model_name="return",
            constraint=models.UniqueConstraint(fields=("public_id",), name="one_return_per_public_id"),
        ),
        migrations.AddConstraint(
            model_name="return",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["asked", "accepted"])), fields=("order",), name="one_open_return"
            ),
        ),
        migrations.AddConstraint(
            model_name="return",
            constraint=models.CheckConstraint(condition=models.Q(("kept_minor__gte", 0)), name="kept_of_a_return"),
        ),
        migrations.AddConstraint(
            model_name="returnline",
            constraint=models.UniqueConstraint(fields=("row", "line"), name="return_line_once"),
        ),
        migrations.AddConstraint(
            model_name="returnline",
            constraint=models.CheckConstraint(condition=models.Q(("units__gt", 0)), name="return_of_something"),
        ),
        migrations.AddConstraint(
            model_name="returnline",
            constraint=models.CheckConstraint(
                condition=models.Q(("received", None), ("received__lte", models.F("units")), _connector="OR"),
                name="no_more_back_than_asked",
            ),
        ),
    ]
