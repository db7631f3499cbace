"""Who sells, for tax law, sealed; and whom buyers in the European Union turn to."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0076_order_views")]

    operations = [
        migrations.AddField("seller", "eu_contact", models.JSONField(blank=True, db_default={}, default=dict)),
        migrations.CreateModel(
            name="SellerDetails",
            fields=[
                (
                    "seller",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="details",
                        serialize=False,
                        to="store.seller",
                    ),
                ),
                ("sealed", models.BinaryField(null=True)),
                ("changed_at", models.DateTimeField(null=True)),
                ("document", models.BinaryField(null=True)),
                ("document_at", models.DateTimeField(null=True)),
            ],
            options={"verbose_name_plural": "seller details"},
        ),
    ]
