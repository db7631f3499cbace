"""Holidays of sellers."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("store", "0058_moderation")]

    operations = [
        migrations.AddField("seller", "away_from", models.DateTimeField(null=True)),
        migrations.AddField("seller", "away_until", models.DateTimeField(null=True)),
        migrations.AddField("seller", "away_since", models.DateTimeField(null=True)),
        migrations.AddField(
            "seller", "away_mode", models.CharField(blank=True, db_default="", default="", max_length=5)
        ),
        # Sellers are few.
        migrations.AddIndex(
            "seller", models.Index(fields=["away_from"], name="seller_away", condition=Q(away_from__isnull=False))
        ),
        migrations.AddIndex(
            "seller",
            models.Index(fields=["id"], name="seller_paused", condition=Q(away_since__isnull=False, away_mode="pause")),
        ),
    ]
