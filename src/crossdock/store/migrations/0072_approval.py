"""Sellers whom the marketplace approves first. Those who are here already need none."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

DEEDS = ["asked", "sent_back", "approved", "looked", "again"]
STAGES = ["preparing", "asked", "sent_back", "approved"]


class Migration(migrations.Migration):
    dependencies = [("store", "0071_branding")]

    operations = [
        migrations.CreateModel(
            name="SellerApproval",
            fields=[
                (
                    "seller",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="approval",
                        serialize=False,
                        to="store.seller",
                    ),
                ),
                (
                    "stage",
                    models.CharField(choices=[(one, one) for one in STAGES], default="preparing", max_length=10),
                ),
                ("began_at", models.DateTimeField()),
                ("facts_at", models.DateTimeField()),
                ("asked_at", models.DateTimeField(null=True)),
                ("decided_at", models.DateTimeField(null=True)),
                ("why", models.CharField(blank=True, default="", max_length=1000)),
                ("terms", models.PositiveIntegerField(default=0)),
                ("terms_at", models.DateTimeField(null=True)),
                ("changed", models.JSONField(default=list)),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"indexes": [models.Index(fields=["stage", "-seller"], name="approval_by_stage")]},
        ),
        migrations.CreateModel(
            name="ApprovalStep",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("deed", models.CharField(choices=[(one, one) for one in DEEDS], max_length=10)),
                ("words", models.CharField(blank=True, default="", max_length=1000)),
                (
                    "actor",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "approval",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="steps", to="store.sellerapproval"
                    ),
                ),
            ],
        ),
    ]
