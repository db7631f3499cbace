"""Listings that are reported, taken down and put back. The new tables are empty, and a state is only a word."""

import crossdock.store.ids
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0057_certificates"),
    ]

    operations = [
        migrations.AlterField(
            model_name="listing",
            name="state",
            field=models.CharField(
                choices=[
                    ("live", "Live"),
                    ("left_out", "Left Out"),
                    ("archived", "Archived"),
                    ("taken_down", "Taken Down"),
                ],
                default="live",
                max_length=10,
            ),
        ),
        migrations.CreateModel(
            name="ListingReview",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.CharField(default=crossdock.store.ids.public_id, max_length=14)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("dismissed", "dismissed"),
                            ("down", "down"),
                            ("asked", "asked"),
                            ("back", "back"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("reports", models.PositiveIntegerField(default=0)),
                ("opened_at", models.DateTimeField()),
                ("last_at", models.DateTimeField()),
                (
                    "ground",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("fake", "fake"),
                            ("rights", "rights"),
                            ("unsafe", "unsafe"),
                            ("forbidden", "forbidden"),
                            ("stolen", "stolen"),
                            ("misleading", "misleading"),
                            ("hate", "hate"),
                            ("children", "children"),
                            ("wrong_place", "wrong_place"),
                            ("terms", "terms"),
                        ],
                        max_length=12,
                    ),
                ),
                ("until_changed", models.BooleanField(default=False)),
                (
                    "listing_state",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("live", "Live"),
                            ("left_out", "Left Out"),
                            ("archived", "Archived"),
                            ("taken_down", "Taken Down"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "asked",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("dismissed", "dismissed"),
                            ("taken_down", "taken_down"),
                            ("appealed", "appealed"),
                            ("changed", "changed"),
                            ("upheld", "upheld"),
                            ("put_back", "put_back"),
                        ],
                        max_length=10,
                    ),
                ),
                ("appealed", models.BooleanField(default=False)),
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
                    "listing",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="reviews", to="store.listing"
                    ),
                ),
                (
                    "seller",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="store.seller"),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ListingReport",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.CharField(default=crossdock.store.ids.public_id, max_length=14)),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("fake", "fake"),
                            ("rights", "rights"),
                            ("unsafe", "unsafe"),
                            ("forbidden", "forbidden"),
                            ("stolen", "stolen"),
                            ("misleading", "misleading"),
                            ("hate", "hate"),
                            ("children", "children"),
                            ("other", "other"),
                        ],
                        max_length=12,
                    ),
                ),
                ("words", models.TextField()),
                ("name", models.CharField(blank=True, max_length=120)),
                ("email", models.EmailField(blank=True, max_length=254)),
                ("at", models.DateTimeField()),
                (
                    "reporter",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "review",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="notices", to="store.listingreview"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ReviewStep",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                (
                    "deed",
                    models.CharField(
                        choices=[
                            ("dismissed", "dismissed"),
                            ("taken_down", "taken_down"),
                            ("appealed", "appealed"),
                            ("changed", "changed"),
                            ("upheld", "upheld"),
                            ("put_back", "put_back"),
                        ],
                        max_length=12,
                    ),
                ),
                ("words", models.TextField(blank=True)),
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
                    "review",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="steps", to="store.listingreview"
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.AddIndex(
            model_name="listingreview",
            index=models.Index(fields=["state", "-id"], name="review_by_state"),
        ),
        migrations.AddIndex(
            model_name="listingreview",
            index=models.Index(
                condition=models.Q(("state__in", ["waiting", "asked"])), fields=["id"], name="review_waiting"
            ),
        ),
        migrations.AddConstraint(
            model_name="listingreview",
            constraint=models.UniqueConstraint(fields=("public_id",), name="one_review_per_public_id"),
        ),
        migrations.AddConstraint(
            model_name="listingreview",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["waiting", "down", "asked"])),
                fields=("listing",),
                name="one_open_review",
            ),
        ),
        migrations.AddIndex(
            model_name="listingreport",
            index=models.Index(
                condition=models.Q(("email", ""), _negated=True), fields=["email", "at"], name="report_by_address"
            ),
        ),
        migrations.AddConstraint(
            model_name="listingreport",
            constraint=models.UniqueConstraint(fields=("public_id",), name="one_report_per_public_id"),
        ),
        migrations.AddConstraint(
            model_name="listingreport",
            constraint=models.UniqueConstraint(
                condition=models.Q(("email", ""), _negated=True),
                fields=("review", "email"),
                name="one_report_per_address",
            ),
        ),
    ]
