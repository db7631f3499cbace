"""What the marketplace is called and looks like, version by version."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0070_closed_accounts_sell_nothing")]
    operations = [
        migrations.CreateModel(
            name="Branding",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField(unique=True)),
                ("name", models.CharField(blank=True, max_length=60)),
                ("accent", models.CharField(blank=True, max_length=7)),
                ("contact", models.CharField(blank=True, max_length=254)),
                ("sender", models.CharField(blank=True, max_length=60)),
                ("logo", models.CharField(blank=True, max_length=100)),
                ("icon", models.CharField(blank=True, max_length=100)),
                ("made_at", models.DateTimeField()),
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
    ]
