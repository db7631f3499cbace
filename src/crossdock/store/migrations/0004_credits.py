"""Credits."""

import crossdock.store.ids
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0003_books"),
    ]

    operations = [
        migrations.CreateModel(
            name="Credit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.CharField(default=crossdock.store.ids.public_id, max_length=14, unique=True)),
                ("cause", models.CharField(max_length=100, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("reject", "reject"),
                            ("lines", "lines"),
                            ("staff", "staff"),
                            ("shop_refund", "shop_refund"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("asked", "asked"),
                            ("second", "second"),
                            ("granted", "granted"),
                            ("refunded", "refunded"),
                            ("failed", "failed"),
                            ("declined", "declined"),
                        ],
                        max_length=10,
                    ),
                ),
                ("amount_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("reason", models.CharField(max_length=300)),
                ("note", models.CharField(blank=True, max_length=300)),
                ("sentence", models.TextField(blank=True)),
                ("lines", models.JSONField(default=list)),
                ("asked_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(null=True)),
                ("granted_at", models.DateTimeField(null=True)),
                ("refunded_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddField(
            model_name="orderline",
            name="rejected",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddConstraint(
            model_name="orderline",
            constraint=models.CheckConstraint(
                condition=models.Q(("rejected__lte", models.F("quantity"))), name="no_more_rejected_than_bought"
            ),
        ),
        migrations.AddField(
            model_name="credit",
            name="asked_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="credit",
            name="decided_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="credit",
            name="order",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="credits", to="store.order"
            ),
        ),
        migrations.AddField(
            model_name="credit",
            name="second_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="credit",
            name="shop_refund",
            field=models.OneToOneField(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="credit", to="store.shoprefund"
            ),
        ),
        migrations.AddIndex(
            model_name="credit",
            index=models.Index(fields=["order", "id"], name="credit_of_order"),
        ),
        migrations.AddIndex(
            model_name="credit",
            index=models.Index(
                condition=models.Q(("state__in", ["asked", "second"])), fields=["asked_at"], name="credit_waiting"
            ),
        ),
        migrations.AddConstraint(
            model_name="credit",
            constraint=models.CheckConstraint(condition=models.Q(("amount_minor__gt", 0)), name="credit_of_something"),
        ),
        migrations.AddConstraint(
            model_name="credit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("second_by", None), models.Q(("second_by", models.F("decided_by")), _negated=True), _connector="OR"
                ),
                name="second_person_is_another",
            ),
        ),
    ]
