"""Checkout sessions of programs that buy for people."""

import django.db.models.deletion
from django.db import migrations, models

import crossdock.store.ids


class Migration(migrations.Migration):
    dependencies = [("store", "0064_books_by_time")]

    operations = [
        migrations.CreateModel(
            name="AgentSession",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.CharField(default=crossdock.store.ids.public_id, max_length=14)),
                ("currency", models.CharField(max_length=3)),
                ("items", models.JSONField()),
                ("details", models.JSONField(default=dict)),
                ("fingerprint", models.CharField(blank=True, max_length=24)),
                ("tries", models.PositiveIntegerField(default=0)),
                ("created_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("canceled_at", models.DateTimeField(null=True)),
                (
                    "intent",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="agent_session",
                        to="store.paymentintent",
                    ),
                ),
                (
                    "token",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="sessions", to="store.apitoken"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("details", {}), _negated=True),
                        fields=["expires_at"],
                        name="agent_session_ended",
                    )
                ],
                "constraints": [models.UniqueConstraint(fields=("public_id",), name="one_agent_session_per_public_id")],
            },
        ),
    ]
