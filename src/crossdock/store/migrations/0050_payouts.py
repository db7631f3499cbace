"""Where sellers' money goes, and each payout."""

import crossdock.domain.earnings.payouts
import crossdock.store.ids
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0049_payable"),
    ]

    operations = [
        migrations.AlterField(
            model_name="party",
            name="kind",
            field=models.CharField(
                choices=[
                    ("shop", "Shop"),
                    ("payment", "Payment"),
                    ("carrier", "Carrier"),
                    ("payout", "Payout"),
                    ("notify", "Notify"),
                ],
                max_length=10,
            ),
        ),
        migrations.CreateModel(
            name="PayoutHold",
            fields=[
                (
                    "seller",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="payout_hold",
                        serialize=False,
                        to="store.seller",
                    ),
                ),
                ("held_at", models.DateTimeField()),
                ("why", models.CharField(max_length=300)),
                (
                    "held_by",
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
            name="Payout",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.CharField(default=crossdock.store.ids.public_id, max_length=14)),
                ("cause", models.CharField(max_length=100)),
                ("provider", models.CharField(max_length=20)),
                ("destination", models.CharField(max_length=120)),
                ("words", models.CharField(max_length=120)),
                ("amount_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("intended", "intended"),
                            ("acknowledged", "acknowledged"),
                            ("paid", "paid"),
                            ("refused", "refused"),
                            ("returned", "returned"),
                        ],
                        default=crossdock.domain.earnings.payouts.PayoutState["INTENDED"],
                        max_length=12,
                    ),
                ),
                ("ref", models.CharField(blank=True, max_length=120)),
                ("sentence", models.TextField(blank=True)),
                ("intended_at", models.DateTimeField()),
                ("acknowledged_at", models.DateTimeField(null=True)),
                ("paid_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("read_at", models.DateTimeField(null=True)),
                (
                    "asked_by",
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
                        on_delete=django.db.models.deletion.PROTECT, related_name="payouts", to="store.seller"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["seller", "-id"], name="payout_of_seller"),
                    models.Index(
                        condition=models.Q(("state", "acknowledged")), fields=["read_at"], name="payout_under_way"
                    ),
                    models.Index(condition=models.Q(("state", "paid")), fields=["paid_at"], name="payout_paid"),
                ],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("amount_minor__gt", 0)), name="payout_of_something"),
                    models.UniqueConstraint(fields=("public_id",), name="one_payout_per_public_id"),
                    models.UniqueConstraint(fields=("cause",), name="one_payout_per_cause"),
                    models.UniqueConstraint(
                        condition=models.Q(("ref", ""), _negated=True),
                        fields=("provider", "ref"),
                        name="one_payout_per_bank_ref",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PayoutAccount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("currency", models.CharField(max_length=3)),
                ("provider", models.CharField(max_length=20)),
                ("ref", models.CharField(max_length=120)),
                ("words", models.CharField(max_length=120)),
                ("changed_at", models.DateTimeField()),
                ("usable_from", models.DateTimeField()),
                (
                    "schedule",
                    models.CharField(
                        choices=[
                            ("daily", "daily"),
                            ("weekly", "weekly"),
                            ("monthly", "monthly"),
                            ("by_hand", "by_hand"),
                        ],
                        default=crossdock.domain.earnings.payouts.Schedule["WEEKLY"],
                        max_length=10,
                    ),
                ),
                ("minimum_minor", models.BigIntegerField(default=0)),
                (
                    "seller",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="payout_accounts", to="store.seller"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["schedule"], name="account_by_schedule")],
                "constraints": [
                    models.UniqueConstraint(fields=("seller", "currency"), name="one_account_per_currency"),
                    models.CheckConstraint(condition=models.Q(("minimum_minor__gte", 0)), name="minimum_not_negative"),
                ],
            },
        ),
    ]
