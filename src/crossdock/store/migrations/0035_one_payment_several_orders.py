"""A payment may pay orders of several sellers: the order names its payment. Rows follow in the next step; what the
payment named until now goes in the one after it.
"""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0034_label_voided")]
    operations = [
        migrations.AlterField(
            "paymentintent",
            "order",
            models.OneToOneField(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="store.order"
            ),
        ),
        migrations.AddField(
            "order",
            "intent",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="orders",
                to="store.paymentintent",
            ),
        ),
        migrations.AlterField(
            "paymentintent",
            "seller",
            models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="store.seller"
            ),
        ),
        migrations.AlterField(
            "offer",
            "order",
            models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="offers", to="store.order"
            ),
        ),
        migrations.AddField("risktrace", "beside", models.BooleanField(default=False, db_default=False)),
    ]
