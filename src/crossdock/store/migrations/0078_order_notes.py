"""Notes and tags on orders."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models.functions import Lower

KEY = models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")
CASCADE = django.db.models.deletion.CASCADE


class Migration(migrations.Migration):
    dependencies = [("store", "0077_seller_details")]
    operations = [
        migrations.CreateModel(
            name="OrderNote",
            fields=[
                ("id", KEY.clone()),
                ("body", models.TextField()),
                ("at", models.DateTimeField()),
                (
                    "author",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("order", models.ForeignKey(on_delete=CASCADE, related_name="notes", to="store.order")),
            ],
            options={"ordering": ["id"]},
        ),
        migrations.CreateModel(
            name="OrderTag",
            fields=[
                ("id", KEY.clone()),
                ("name", models.CharField(max_length=30)),
                ("seller", models.ForeignKey(on_delete=CASCADE, related_name="order_tags", to="store.seller")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(models.F("seller"), Lower("name"), name="one_order_tag_any_case")
                ]
            },
        ),
        migrations.CreateModel(
            name="TaggedOrder",
            fields=[
                ("id", KEY.clone()),
                ("order", models.ForeignKey(on_delete=CASCADE, related_name="tags", to="store.order")),
                (
                    "tag",
                    models.ForeignKey(db_index=False, on_delete=CASCADE, related_name="orders", to="store.ordertag"),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("order", "tag"), name="order_tagged_once")],
                "indexes": [models.Index(fields=["tag", "-order"], name="order_by_tag")],
            },
        ),
    ]
