"""The shop's line ids by our line, and what the shop last said of each parcel."""

from django.db import migrations, models

# Parcels that came from a shop before carry what is known of them: their number. What else the shop says of them is
# taken in silently at the next read.
KNOWN = """
UPDATE store_shipment SET there = jsonb_build_object(parcel_id, jsonb_build_object('number', tracking_number))
WHERE source = 'shop';
"""


class Migration(migrations.Migration):
    dependencies = [("store", "0014_lookup")]

    operations = [
        migrations.CreateModel(
            name="ShopLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("shop_line_id", models.CharField(max_length=200)),
                ("units", models.PositiveIntegerField()),
                (
                    "line",
                    models.ForeignKey(on_delete=models.deletion.CASCADE, related_name="there", to="store.orderline"),
                ),
            ],
            options={"ordering": ["id"]},
        ),
        migrations.AddConstraint(
            "shopline", models.UniqueConstraint(fields=("line", "shop_line_id"), name="shop_line_once")
        ),
        migrations.AddField("shipment", "there", models.JSONField(default=dict)),
        migrations.AlterField("shipment", "tracking_number", models.CharField(blank=True, max_length=500)),
        migrations.AlterField("label", "tracking_number", models.CharField(blank=True, max_length=500)),
        migrations.RunSQL(KNOWN, migrations.RunSQL.noop),
    ]
