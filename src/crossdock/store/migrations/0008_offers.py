"""Offers."""

import crossdock.domain.offers
import crossdock.store.ids
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0007_stock"),
    ]

    operations = [
        migrations.AddField(
            model_name="listing",
            name="accept_from_minor",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="listing",
            name="decline_below_minor",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="listing",
            name="takes_offers",
            field=models.BooleanField(null=True),
        ),
        migrations.CreateModel(
            name="Offer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.CharField(default=crossdock.store.ids.public_id, max_length=14, unique=True)),
                ("quantity", models.PositiveIntegerField(default=1)),
                ("amount_minor", models.BigIntegerField()),
                ("asking_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "open"),
                            ("countered", "countered"),
                            ("accepted", "accepted"),
                            ("paid", "paid"),
                            ("declined", "declined"),
                            ("withdrawn", "withdrawn"),
                            ("expired", "expired"),
                        ],
                        default=crossdock.domain.offers.OfferState["OPEN"],
                        max_length=10,
                    ),
                ),
                ("made_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("settled_at", models.DateTimeField(null=True)),
                (
                    "buyer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="offers", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "order",
                    models.OneToOneField(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="offer", to="store.order"
                    ),
                ),
                (
                    "seller",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="offers", to="store.seller"
                    ),
                ),
                (
                    "variant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="offers", to="store.variant"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="OfferMove",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                (
                    "who",
                    models.CharField(
                        choices=[("buyer", "buyer"), ("seller", "seller"), ("marketplace", "marketplace")],
                        max_length=12,
                    ),
                ),
                (
                    "deed",
                    models.CharField(
                        choices=[
                            ("make", "make"),
                            ("counter", "counter"),
                            ("accept", "accept"),
                            ("decline", "decline"),
                            ("withdraw", "withdraw"),
                            ("expire", "expire"),
                            ("pay", "pay"),
                        ],
                        max_length=10,
                    ),
                ),
                ("amount_minor", models.BigIntegerField()),
                ("note", models.CharField(blank=True, max_length=300)),
                (
                    "offer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="moves", to="store.offer"
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.AddIndex(
            model_name="offer",
            index=models.Index(fields=["seller", "-id"], name="offer_of_seller"),
        ),
        migrations.AddIndex(
            model_name="offer",
            index=models.Index(fields=["buyer", "-id"], name="offer_of_buyer"),
        ),
        migrations.AddIndex(
            model_name="offer",
            index=models.Index(
                condition=models.Q(("state__in", ["open", "countered", "accepted"])),
                fields=["ends_at"],
                name="offer_ends",
            ),
        ),
        migrations.AddConstraint(
            model_name="offer",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_minor__gt", 0), ("quantity__gt", 0)), name="offer_of_something"
            ),
        ),
        migrations.AddConstraint(
            model_name="offer",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["open", "countered", "accepted"])),
                fields=("buyer", "variant"),
                name="one_offer_at_a_time",
            ),
        ),
    ]
