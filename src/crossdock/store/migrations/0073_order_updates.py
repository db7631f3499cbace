"""An agent's program is told of its orders, as sellers' programs are of theirs."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0072_approval")]
    operations = [
        migrations.AddField("agentsession", "told", models.CharField(blank=True, db_default="", max_length=64)),
        migrations.AlterField(
            "endpoint",
            "seller",
            models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.CASCADE, related_name="endpoints", to="store.seller"
            ),
        ),
        migrations.AddField(
            "endpoint",
            "token",
            models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.CASCADE, related_name="endpoints", to="store.apitoken"
            ),
        ),
        migrations.AddConstraint(
            "endpoint",
            models.UniqueConstraint(
                fields=["token"], condition=models.Q(deleted_at=None), name="one_endpoint_per_agent"
            ),
        ),
        migrations.AddConstraint(
            "endpoint",
            models.CheckConstraint(
                condition=models.Q(seller=None) ^ models.Q(token=None), name="endpoint_of_a_seller_or_an_agent"
            ),
        ),
    ]
