"""Sellers whose sales the marketplace stops. Nobody's are, to begin with."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("store", "0065_agent_sessions")]

    operations = [
        migrations.AddField("seller", "barred", models.CharField(blank=True, db_default="", default="", max_length=10)),
        # Sellers are few.
        migrations.AddIndex("seller", models.Index(fields=["id"], name="seller_barred", condition=~Q(barred=""))),
        migrations.CreateModel(
            name="Suspension",
            fields=[
                (
                    "seller",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="suspension",
                        serialize=False,
                        to="store.seller",
                    ),
                ),
                ("at", models.DateTimeField()),
                ("why", models.CharField(max_length=1000)),
                ("with_account", models.BooleanField(default=False)),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
    ]
