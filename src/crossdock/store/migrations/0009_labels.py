"""Shipping labels bought here, what is printed, and where each seller ships from."""

import crossdock.domain.labels
import crossdock.store.ids
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0008_offers"),
    ]

    operations = [
        migrations.CreateModel(
            name="SellerAddress",
            fields=[
                (
                    "seller",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="ships_from",
                        serialize=False,
                        to="store.seller",
                    ),
                ),
                ("address", models.JSONField()),
                ("changed_at", models.DateTimeField()),
            ],
            options={
                "verbose_name_plural": "seller addresses",
            },
        ),
        migrations.CreateModel(
            name="Label",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.CharField(default=crossdock.store.ids.public_id, max_length=14, unique=True)),
                ("reference", models.CharField(max_length=60, unique=True)),
                ("provider", models.CharField(max_length=20)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("quoted", "quoted"),
                            ("intended", "intended"),
                            ("unknown", "unknown"),
                            ("refused", "refused"),
                            ("bought", "bought"),
                            ("voiding", "voiding"),
                            ("voided", "voided"),
                            ("void_refused", "void_refused"),
                        ],
                        default=crossdock.domain.labels.LabelState["QUOTED"],
                        max_length=12,
                    ),
                ),
                ("wanted", models.JSONField()),
                ("lines", models.JSONField()),
                ("quotes", models.JSONField()),
                ("quote_ref", models.CharField(blank=True, max_length=200)),
                ("carrier", models.CharField(blank=True, max_length=80)),
                ("service", models.CharField(blank=True, max_length=80)),
                ("price_minor", models.BigIntegerField(default=0)),
                ("insured_minor", models.BigIntegerField(null=True)),
                ("currency", models.CharField(default="USD", max_length=3)),
                ("carrier_ref", models.CharField(blank=True, max_length=120)),
                ("tracking_number", models.CharField(blank=True, max_length=120)),
                ("tracking_url", models.TextField(blank=True)),
                ("sentence", models.TextField(blank=True)),
                ("events", models.JSONField(default=list)),
                ("quoted_at", models.DateTimeField()),
                ("intended_at", models.DateTimeField(null=True)),
                ("asked_at", models.DateTimeField(null=True)),
                ("asked_until", models.DateTimeField(null=True)),
                ("bought_at", models.DateTimeField(null=True)),
                ("void_asked_at", models.DateTimeField(null=True)),
                ("voided_at", models.DateTimeField(null=True)),
                ("delivered_at", models.DateTimeField(null=True)),
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
                    "bought_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="labels", to="store.order"
                    ),
                ),
                (
                    "seller",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="labels", to="store.seller"
                    ),
                ),
                (
                    "shipment",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="label",
                        to="store.shipment",
                    ),
                ),
                (
                    "voided_by",
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
            name="LabelDocument",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("form", models.CharField(choices=[("pdf", "pdf"), ("png", "png"), ("zpl", "zpl")], max_length=4)),
                ("content", models.BinaryField()),
                (
                    "label",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="documents", to="store.label"
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="label",
            index=models.Index(fields=["order", "id"], name="label_of_order"),
        ),
        migrations.AddIndex(
            model_name="label",
            index=models.Index(fields=["seller", "-id"], name="label_of_seller"),
        ),
        migrations.AddIndex(
            model_name="label",
            index=models.Index(
                condition=models.Q(("delivered_at", None), ("state__in", ["bought", "voiding", "void_refused"])),
                fields=["read_at"],
                name="label_under_way",
            ),
        ),
        migrations.AddIndex(
            model_name="label",
            index=models.Index(condition=models.Q(("state", "quoted")), fields=["quoted_at"], name="label_only_quoted"),
        ),
        migrations.AddConstraint(
            model_name="label",
            constraint=models.UniqueConstraint(
                condition=models.Q(("carrier_ref", ""), _negated=True),
                fields=("provider", "carrier_ref"),
                name="one_label_per_carrier_ref",
            ),
        ),
        migrations.AddConstraint(
            model_name="labeldocument",
            constraint=models.UniqueConstraint(fields=("label", "form"), name="one_document_per_form"),
        ),
    ]
