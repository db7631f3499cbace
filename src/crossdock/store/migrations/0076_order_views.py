"""Lists of orders that somebody keeps as tabs."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import crossdock.store.ids


class Migration(migrations.Migration):
    dependencies = [("store", "0075_order_lists")]
    operations = [
        migrations.CreateModel(
            name="OrderView",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.CharField(default=crossdock.store.ids.public_id, max_length=14)),
                ("name", models.CharField(max_length=40)),
                ("address", models.CharField(max_length=1000)),
                ("created_at", models.DateTimeField()),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="order_views",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "seller",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="order_views", to="store.seller"
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(fields=("public_id",), name="one_order_view_per_public_id"),
                    models.UniqueConstraint(fields=("seller", "person", "address"), name="one_order_view_per_address"),
                ],
            },
        ),
    ]
