"""Risk."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0009_labels"),
    ]

    operations = [
        migrations.CreateModel(
            name="RiskPolicy",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "choice",
                    models.CharField(
                        choices=[
                            ("seller", "The seller decides"),
                            ("hold", "Held until staff clear it"),
                            ("guarantee", "The marketplace carries the loss"),
                        ],
                        max_length=10,
                    ),
                ),
                ("changed_at", models.DateTimeField()),
                (
                    "changed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "risk policies",
            },
        ),
        migrations.CreateModel(
            name="RiskRuleSet",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("weights", models.JSONField()),
                ("medium_from", models.PositiveIntegerField()),
                ("high_from", models.PositiveIntegerField()),
                ("needed", models.PositiveIntegerField(default=5)),
                ("note", models.CharField(blank=True, max_length=200)),
                ("made_at", models.DateTimeField()),
                ("live_at", models.DateTimeField(null=True)),
                ("shadow_at", models.DateTimeField(null=True)),
                ("report", models.JSONField(default=list)),
                (
                    "live_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
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
            name="RiskAssessment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("why", models.CharField(max_length=80)),
                (
                    "level",
                    models.CharField(
                        choices=[
                            ("low", "low"),
                            ("medium", "medium"),
                            ("high", "high"),
                            ("not_assessed", "not_assessed"),
                        ],
                        max_length=20,
                    ),
                ),
                ("score", models.IntegerField()),
                ("available", models.PositiveSmallIntegerField()),
                ("asked", models.PositiveSmallIntegerField()),
                ("inputs", models.JSONField()),
                ("contributions", models.JSONField()),
                ("shadow_score", models.FloatField(null=True)),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="assessments", to="store.order"
                    ),
                ),
                (
                    "rules",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="store.riskruleset"
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="RiskHold",
            fields=[
                (
                    "order",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="risk_hold",
                        serialize=False,
                        to="store.order",
                    ),
                ),
                ("held_at", models.DateTimeField()),
                ("cleared_at", models.DateTimeField(null=True)),
                ("note", models.CharField(blank=True, max_length=300)),
                (
                    "cleared_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(condition=models.Q(("cleared_at", None)), fields=["held_at"], name="hold_open")
                ],
            },
        ),
        migrations.CreateModel(
            name="RiskListEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("blocked", "Blocked"), ("trusted", "Trusted"), ("forwarder", "Freight forwarder")],
                        max_length=10,
                    ),
                ),
                (
                    "what",
                    models.CharField(
                        choices=[
                            ("email", "E-mail address"),
                            ("domain", "E-mail domain"),
                            ("card", "Card fingerprint"),
                            ("device", "Device"),
                            ("ip", "Network address"),
                            ("address", "Postal address"),
                        ],
                        max_length=10,
                    ),
                ),
                ("value", models.CharField(max_length=254)),
                ("shown", models.CharField(max_length=300)),
                ("note", models.CharField(blank=True, max_length=200)),
                ("added_at", models.DateTimeField()),
                (
                    "added_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "risk list entries",
                "constraints": [models.UniqueConstraint(fields=("kind", "what", "value"), name="listed_once")],
            },
        ),
        migrations.CreateModel(
            name="RiskTrace",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("buyer", models.CharField(max_length=40)),
                ("seller", models.BigIntegerField()),
                ("amount_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("units", models.PositiveIntegerField(default=1)),
                ("card", models.CharField(blank=True, max_length=80)),
                ("device", models.CharField(blank=True, max_length=60)),
                ("ip", models.CharField(blank=True, max_length=45)),
                ("address", models.CharField(blank=True, max_length=40)),
                ("email", models.CharField(blank=True, max_length=254)),
                ("paid", models.BooleanField(null=True)),
                ("fraud", models.BooleanField(null=True)),
                ("known_at", models.DateTimeField(null=True)),
                (
                    "intent",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="trace",
                        to="store.paymentintent",
                    ),
                ),
                (
                    "order",
                    models.OneToOneField(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="trace", to="store.order"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["buyer", "at"], name="trace_buyer"),
                    models.Index(condition=models.Q(("paid", True)), fields=["seller", "-at"], name="trace_seller"),
                    models.Index(
                        condition=models.Q(("card", ""), _negated=True), fields=["card", "at"], name="trace_card"
                    ),
                    models.Index(
                        condition=models.Q(("device", ""), _negated=True), fields=["device", "at"], name="trace_device"
                    ),
                    models.Index(condition=models.Q(("ip", ""), _negated=True), fields=["ip", "at"], name="trace_ip"),
                    models.Index(
                        condition=models.Q(("address", ""), _negated=True),
                        fields=["address", "at"],
                        name="trace_address",
                    ),
                ],
            },
        ),
        migrations.RunSQL(
            "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON store_riskassessment FOR EACH ROW EXECUTE FUNCTION store_append_only()",
            "DROP TRIGGER append_only ON store_riskassessment",
        ),
    ]
