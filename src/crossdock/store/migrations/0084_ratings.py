"""What buyers say of sellers."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

import crossdock.store.ids

KEY = models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")
CASCADE = django.db.models.deletion.CASCADE
PERSON = models.ForeignKey(
    null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
)


class Migration(migrations.Migration):
    dependencies = [("store", "0083_teams")]
    operations = [
        migrations.CreateModel(
            name="Rating",
            fields=[
                ("id", KEY.clone()),
                ("public_id", models.CharField(default=crossdock.store.ids.public_id, max_length=14)),
                ("stars", models.PositiveSmallIntegerField()),
                ("words", models.CharField(blank=True, max_length=1000)),
                ("at", models.DateTimeField()),
                ("changed_at", models.DateTimeField(null=True)),
                ("answer", models.CharField(blank=True, max_length=1000)),
                ("answered_at", models.DateTimeField(null=True)),
                ("report", models.CharField(blank=True, max_length=1000)),
                ("reported_at", models.DateTimeField(null=True)),
                ("decided", models.CharField(blank=True, max_length=1000)),
                ("down_at", models.DateTimeField(null=True)),
                ("reported_by", PERSON.clone()),
                ("decided_by", PERSON.clone()),
                ("order", models.OneToOneField(on_delete=CASCADE, related_name="rating", to="store.order")),
                (
                    "seller",
                    models.ForeignKey(db_index=False, on_delete=CASCADE, related_name="ratings", to="store.seller"),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=["public_id"], name="one_rating_per_public_id"),
                    models.CheckConstraint(condition=Q(stars__gte=1, stars__lte=5), name="one_to_five_stars"),
                ],
                "indexes": [
                    models.Index(fields=["seller", "-id"], name="rating_of_seller"),
                    models.Index(fields=["id"], name="rating_reported", condition=Q(reported_at__isnull=False)),
                ],
            },
        ),
        migrations.CreateModel(
            name="RatingSum",
            fields=[
                (
                    "seller",
                    models.OneToOneField(
                        on_delete=CASCADE,
                        primary_key=True,
                        related_name="rating_sum",
                        serialize=False,
                        to="store.seller",
                    ),
                ),
                ("ratings", models.PositiveIntegerField(default=0)),
                ("stars", models.PositiveIntegerField(default=0)),
            ],
        ),
    ]
